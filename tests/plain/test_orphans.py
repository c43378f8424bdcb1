"""Orphans: files that no entry of a log names, whatever form the log has."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.core.errors import DamagedTableError
from jobs.core.orphans import find_orphans, remove_orphans


def table(folder: Path, *names: str) -> Path:
    """A table's folder with a log that adds and removes some files, and these files besides."""
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    entries = [
        {"commitInfo": {}},
        {"add": {"path": "now.parquet"}},
        {"remove": {"path": "before.parquet"}},
        {"add": {"path": "day%3D2024-01-01/a%20name.parquet"}},
        {"cdc": {"path": "changes.parquet"}},
    ]
    (log / "00000000000000000011.json").write_text("\n".join(map(json.dumps, entries)) + "\n")
    path = pa.struct([("path", pa.string())])
    checkpoint = pa.table(
        {
            "add": pa.array([{"path": "old.parquet"}, None, None], path),
            "remove": pa.array([None, {"path": "older.parquet"}, None], path),
            "protocol": pa.array([None, None, {"path": "x"}], path),
        }
    )
    pq.write_table(checkpoint, log / "00000000000000000010.checkpoint.parquet")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"four")
    return folder


def names(folder: Path, **options: float) -> list[str]:
    return [str(o.path.relative_to(folder)) for o in find_orphans(folder, **options)]


def test_what_entries_and_checkpoints_name_is_no_orphan(tmp_path: Path) -> None:
    named = ("now", "before", "old", "older", "changes", "day=2024-01-01/a name")
    files = [f"{name}.parquet" for name in named]
    assert names(table(tmp_path, *files)) == []


def test_only_orphans_are_found_and_removed(tmp_path: Path) -> None:
    others = ["_change_data/x.parquet", ".hidden.parquet", "notes.txt", "now.parquet"]
    left = ["day=2024-01-01/left.parquet", "left.parquet"]
    folder = table(tmp_path, *others, *left, ".left.parquet.crc")
    log = sorted((folder / "_delta_log").iterdir())
    found = find_orphans(folder)
    assert [str(orphan.path.relative_to(folder)) for orphan in found] == left
    assert [orphan.size for orphan in found] == [4, 4]
    remove_orphans(found)
    assert names(folder) == []
    assert all((folder / name).exists() for name in others)
    assert not (folder / ".left.parquet.crc").exists()
    assert sorted((folder / "_delta_log").iterdir()) == log


def test_younger_files_can_be_left_alone(tmp_path: Path) -> None:
    folder = table(tmp_path, "left.parquet", "young.parquet")
    hours_ago = time.time() - 3 * 3600
    os.utime(folder / "left.parquet", (hours_ago, hours_ago))
    assert names(folder, older_than_hours=2) == ["left.parquet"]
    assert names(folder, older_than_hours=4) == []


@pytest.mark.parametrize("name", ["00000000000000000012.json", "x.checkpoint.parquet"])
def test_a_log_that_cannot_be_read_stops_everything(tmp_path: Path, name: str) -> None:
    folder = table(tmp_path, "left.parquet")
    (folder / "_delta_log" / name).write_bytes(b"{cut off")
    with pytest.raises(DamagedTableError, match=name):
        find_orphans(folder)
