"""The warehouse lock: one holder, named; freed also by a kill; nothing left by a refusal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.core.errors import LockHeldError, StorageError
from jobs.core.lock import warehouse_lock

HOLD = """
import sys, time
from pathlib import Path
from jobs.core.lock import warehouse_lock
with warehouse_lock(Path(sys.argv[1]), "build"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "held"
    return process


def test_second_run_is_told_who_holds_it(tmp_path: Path) -> None:
    process = hold(tmp_path)
    try:
        with (
            pytest.raises(LockHeldError, match=rf"build \(pid {process.pid}, since"),
            warehouse_lock(tmp_path, "train"),
        ):
            pass
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_leaves_no_stale_lock(tmp_path: Path) -> None:
    process = hold(tmp_path)
    process.kill()
    process.wait()
    with warehouse_lock(tmp_path, "train"):
        assert '"job": "train"' in (tmp_path / ".lock").read_text(encoding="utf-8")


def test_a_run_that_wrote_nothing_leaves_no_folder(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "warehouse"
    with warehouse_lock(root, "ingest"):
        assert root.is_dir()
    assert not root.exists()


def test_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be written"), warehouse_lock(path, "build"):
        pass
