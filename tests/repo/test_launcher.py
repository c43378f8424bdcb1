"""The launcher's own behaviour, as far as nothing is installed or started."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "spark-submit.sh"
OTHER_COMMANDS = {"sql", "test", "lint", "help"}


def launch(
    *arguments: str, script: Path = SCRIPT, cwd: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=60,
    )


def copy_to(folder: Path) -> Path:
    """Put a copy of what a dry run reads into an empty folder; returns the script in it."""
    (folder / "conf").mkdir(parents=True)
    shutil.copy(SCRIPT, folder)
    shutil.copy(ROOT / "conf" / "jars.lock", folder / "conf")
    return folder / SCRIPT.name


def tools_without_java(folder: Path) -> str:
    """Make a PATH that holds what the launcher needs before it looks for Java, and no Java."""
    folder.mkdir()
    for tool in ("bash", "env", "dirname", "readlink", "sha256sum"):
        (folder / tool).symlink_to(shutil.which(tool) or "")
    return str(folder)


def fake_java(folder: Path, version: str) -> None:
    script = folder / "java"
    script.write_text(f"#!/usr/bin/env bash\necho 'openjdk version \"{version}\"' >&2\n")
    script.chmod(0o755)


def test_help_lists_a_command_for_every_entry_point_and_nothing_else() -> None:
    run = launch("help")
    listed = set(re.findall(r"^  ([a-z]+) +\S", run.stdout, re.MULTILINE))
    jobs = {path.stem for path in (ROOT / "jobs").glob("*.py")} - {"__init__"}
    assert run.returncode == 0
    assert listed == jobs | OTHER_COMMANDS


def test_a_bare_call_prints_the_help() -> None:
    assert launch().stdout == launch("help").stdout == launch("--help").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["frobnicate"], "unknown command 'frobnicate'"),
        (["--frobnicate", "build"], "unknown option --frobnicate"),
        (["--profile", "moon", "build"], "no profile 'moon'"),
        (["build", "--profile"], "--profile needs a value"),
        (["build", "--profile="], "--profile needs a value"),
        (["--master", "--dry-run", "build"], "--master needs a value"),
        (["sql", "--warehouse"], "--warehouse needs a value"),
        (["lint", "--fix"], "lint has no options"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: list[str], complaint: str) -> None:
    run = launch(*arguments)
    assert run.returncode == 2
    assert run.stdout == ""
    assert complaint in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_dry_run_prints_a_line_whose_files_exist() -> None:
    run = launch("--dry-run", "build", "--date", "2024-03-01")
    words = shlex.split(run.stdout)
    assert run.returncode == 0
    assert words[0] == "env"
    submit = words.index(str(ROOT / ".venv" / "bin" / "spark-submit"))
    job = words.index(str(ROOT / "jobs" / "build.py"))
    options = dict(zip(words[submit + 1 : job : 2], words[submit + 2 : job : 2], strict=True))
    assert Path(options["--properties-file"]).is_file()
    jars = [Path(jar) for jar in options["--jars"].split(",")]
    assert len(jars) == 6
    assert all(jar.is_file() for jar in jars)
    assert words[job + 1 :] == ["--date", "2024-03-01"]


def test_options_of_the_launcher_are_taken_out_wherever_they_stand() -> None:
    run = launch("train", "--dry-run", "--x", "a 'b' $c", "--master", "local[1]", "--debug")
    words = shlex.split(run.stdout)
    job = words.index(str(ROOT / "jobs" / "train.py"))
    assert words[job + 1 :] == ["--x", "a 'b' $c", "--debug"]
    assert words[words.index("--master") + 1] == "local[1]"


def test_the_standalone_profile_ships_the_package_and_leaves_the_address_to_spark() -> None:
    words = shlex.split(launch("--dry-run", "--profile=standalone", "build").stdout)
    assert words[words.index("--properties-file") + 1].endswith("/conf/spark-standalone.conf")
    assert words[words.index("--py-files") + 1] == str(ROOT / "build" / "jobs.zip")
    assert "SPARK_LOCAL_IP=127.0.0.1" not in words


def test_a_dry_run_needs_no_java_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = copy_to(tmp_path / "project")
    before = sorted(script.parent.rglob("*"))
    for command in ("build", "sql", "test", "lint"):
        run = launch("--dry-run", command, script=script, JAVA_HOME=str(tmp_path / "no-java"))
        assert run.returncode == 0, run.stderr
    assert sorted(script.parent.rglob("*")) == before


def test_works_through_a_symlink_from_another_folder_with_spaces_in_the_path(
    tmp_path: Path,
) -> None:
    script = copy_to(tmp_path / "a project's folder")
    elsewhere = tmp_path / "bin"
    elsewhere.mkdir()
    (elsewhere / "once").symlink_to(script)
    (elsewhere / "twice").symlink_to("once")
    run = launch("--dry-run", "score", script=elsewhere / "twice", cwd=elsewhere)
    words = shlex.split(run.stdout)
    assert words[-1] == str(script.parent / "jobs" / "score.py")
    assert f"PYTHONPATH={script.parent}" in words


def test_without_java_one_line_says_what_to_install(tmp_path: Path) -> None:
    path = tools_without_java(tmp_path / "bin")
    script = copy_to(tmp_path / "project")
    started = time.monotonic()
    run = launch("pipeline", script=script, PATH=path, JAVA_HOME="")
    assert run.returncode == 7
    assert "Java 17" in run.stderr
    assert run.stderr.count("\n") == 1
    assert time.monotonic() - started < 5
    assert not (script.parent / ".venv").exists()


@pytest.mark.parametrize("version", ["11.0.22", "1.8.0_402"])
def test_an_older_java_is_refused_by_its_version(tmp_path: Path, version: str) -> None:
    path = tools_without_java(tmp_path / "bin")
    fake_java(tmp_path / "bin", version)
    run = launch("sql", script=copy_to(tmp_path / "project"), PATH=path, JAVA_HOME="")
    assert run.returncode == 7
    assert f"is Java {'8' if version.startswith('1.') else '11'}" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_wrong_java_home_is_named(tmp_path: Path) -> None:
    run = launch("build", script=copy_to(tmp_path / "project"), JAVA_HOME="/no/such/java")
    assert run.returncode == 7
    assert "JAVA_HOME=/no/such/java" in run.stderr


@pytest.mark.slow
def test_without_a_network_the_set_up_ends_soon_and_heals_later(tmp_path: Path) -> None:
    script = copy_to(tmp_path / "project")
    shutil.copy(ROOT / "pyproject.toml", script.parent)
    shutil.copy(ROOT / "conf" / "constraints.txt", script.parent / "conf")
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "HOME": str(tmp_path)}
    for _ in range(2):
        run = launch("build", script=script, **nowhere)
        assert run.returncode == 7
        assert run.stderr.splitlines()[-1].endswith("build/setup.log")
    assert "creating .venv" not in run.stderr  # the second round keeps what the first one made
