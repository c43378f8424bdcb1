"""What doctor says of a broken environment."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from jobs.core.environment import (
    Finding,
    check_jars,
    check_packages,
    check_warehouse,
    render,
)


def pins(**changed: str) -> str:
    versions = {name: metadata.version(name) for name in ("pyspark", "delta-spark", "numpy")}
    return "\n".join(f"{name}=={version}" for name, version in (versions | changed).items())


def test_another_version_than_the_pinned_one_is_named(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(pins(numpy="0.1"))
    by_name = {finding.name: finding for finding in check_packages(constraints)}
    assert by_name["pyspark"].is_ok
    assert not by_name["Python packages"].is_ok
    assert "(pinned 0.1)" in by_name["Python packages"].found


def test_a_pinned_package_may_be_absent_and_spelled_in_another_way(tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    text = pins().replace("delta-spark", "Delta_Spark")
    constraints.write_text(f"# why\n{text}\nno-such-package==1.0\n")
    assert all(finding.is_ok for finding in check_packages(constraints))


def test_a_missing_and_an_altered_jar_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "good-1.jar").write_bytes(b"good")
    (tmp_path / "bad-1.jar").write_bytes(b"altered")
    sha256 = hashlib.sha256(b"good").hexdigest()
    lock = tmp_path / "jars.lock"
    lock.write_text("# jars\n" + "".join(f"org {n} 1 {sha256}\n" for n in ("good", "bad", "gone")))
    found = {finding.name: (finding.is_ok, finding.found) for finding in check_jars(lock, tmp_path)}
    assert found["good-1.jar"] == (True, "sha256 as locked")
    assert found["bad-1.jar"] == (False, "sha256 differs from conf/jars.lock")
    assert found["gone-1.jar"] == (False, "missing")


def test_a_warehouse_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = check_warehouse(tmp_path / "file" / "warehouse")
    assert not finding.is_ok
    assert "is a file" in finding.found


def test_a_warehouse_that_is_not_there_yet_is_left_so(tmp_path: Path) -> None:
    root = tmp_path / "new" / "warehouse"
    assert "writable" in check_warehouse(root).found
    assert list(tmp_path.iterdir()) == []


def test_only_faults_come_with_a_remedy() -> None:
    findings = [Finding("one", "fine", True, "mend one"), Finding("two", "bad", False, "mend two")]
    text = render(findings)
    assert "mend one" not in text
    assert "-> mend two" in text


@pytest.mark.parametrize("own", ["", "active"])
def test_threads_wait_asleep_unless_the_user_says_otherwise(own: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    found = subprocess.run(
        [sys.executable, "-c", "import jobs, os; print(os.environ['OMP_WAIT_POLICY'])"],
        capture_output=True,
        text=True,
        check=True,
        env=environment | ({"OMP_WAIT_POLICY": own} if own else {}),
        cwd=Path(__file__).resolve().parents[2],
    )
    assert found.stdout.strip() == (own or "passive")
