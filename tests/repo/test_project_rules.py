"""The house rules that a machine can check; each failure names the file and says what to do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"core", "shop", "ingestion", "propensity", "reporting", "proof"}
# Who may import whom; entry points may import all.
MAY_IMPORT = {
    "core": {"core"},
    "shop": {"shop", "core"},
    "ingestion": {"ingestion", "core"},
    "propensity": {"propensity", "core"},
    "reporting": {"reporting", "core"},
    "proof": PACKAGES,
}
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "conf",
    "jobs",
    "pyproject.toml",
    "spark-submit.sh",
    "sql",
    "tests",
}
GENERATED = re.compile(
    r"\.(csv|parquet|crc|jar|zip|pyc|egg-info)$|(^|/)(_delta_log|spark-warehouse|metastore_db)/"
    r"|^(warehouse|data|build|\.venv)[^/]*/"
)
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted|repo1?\.maven|mvnrepository|maven\.apache|conda\.anaconda|docker\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w.}/-])/(?:work|home|root|Users|tmp|opt|mnt)/\w")
TEXT = {".py", ".sql", ".yaml", ".md", ".sh", ".toml", ".conf", ".lock", ".properties", ".txt"}
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_ENTRY_LINES = 250, 70, 60


def files() -> list[Path]:
    """Files of the project that git knows or would add, relative to its folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


def texts() -> Iterator[tuple[Path, str]]:
    for path in files():
        if path.suffix in TEXT or path.parent.name == ".ci":
            yield path, (ROOT / path).read_text(encoding="utf-8")


def modules() -> Iterator[tuple[Path, ast.Module, str]]:
    for path, text in texts():
        if path.suffix == ".py":
            yield path, ast.parse(text), text


def entry_points() -> list[Path]:
    return sorted(path for path in (ROOT / "jobs").glob("*.py") if path.stem != "__init__")


def package_of(path: Path) -> str | None:
    return path.parts[1] if path.parts[0] == "jobs" and len(path.parts) > 2 else None


def imported_packages(tree: ast.Module) -> set[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("jobs.")}


def test_files_are_short_enough_to_read() -> None:
    long = {
        str(path): len(text.splitlines())
        for path, text in texts()
        if path.suffix in {".py", ".sql"} and len(text.splitlines()) > MAX_FILE_LINES
    }
    assert not long, f"split these files at an idea, none over {MAX_FILE_LINES} lines: {long}"


def test_functions_are_short_enough_to_read() -> None:
    long = [
        f"{path}: {node.name}"
        for path, tree, _ in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
    ]
    assert not long, f"split these functions, none over {MAX_FUNCTION_LINES} lines: {long}"


def test_entry_points_are_thin() -> None:
    long = [p.name for p in entry_points() if len(p.read_text().splitlines()) > MAX_ENTRY_LINES]
    assert not long, f"move what these do into a package of jobs/: {long}"


def test_entry_points_say_what_they_read_and_write_and_how_to_start_them() -> None:
    for path in entry_points():
        doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for mark in ("Reads: ", "Writes: ", f"./spark-submit.sh {path.stem}"):
            assert mark in doc, f"the docstring of jobs/{path.name} lacks {mark!r}"


def test_imports_go_one_way() -> None:
    entries = {path.stem for path in entry_points()}
    wrong = [
        f"{path} imports jobs.{package}"
        for path, tree, _ in modules()
        if (own := package_of(path)) is not None
        for package in imported_packages(tree)
        if package not in MAY_IMPORT[own] or package in entries
    ]
    assert not wrong, f"only {MAY_IMPORT} are allowed: {wrong}"


def test_no_module_hides_one_of_the_standard_library() -> None:
    hidden = [
        str(path)
        for path, _, _ in modules()
        if path.parts[0] == "jobs" and path.stem in sys.stdlib_module_names
    ]
    assert not hidden, f"rename: an entry point's folder comes first on sys.path: {hidden}"


def test_nothing_names_a_registry_or_a_place_on_one_machine() -> None:
    found = [
        f"{path}:{number}: {match.group()}"
        for path, text in texts()
        if path != Path("tests/repo/test_project_rules.py")
        for number, line in enumerate(text.splitlines(), 1)
        for match in [REGISTRIES.search(line) or MACHINE_PATHS.search(line)]
        if match
    ]
    assert not found, f"the project runs anywhere and takes packages from anywhere: {found}"


def test_generated_data_is_not_part_of_the_project() -> None:
    found = [str(path) for path in files() if GENERATED.search(path.as_posix())]
    assert not found, f"add a line to .gitignore for: {found}"


def test_the_top_level_holds_what_it_should() -> None:
    assert {path.parts[0] for path in files()} <= TOP_LEVEL


def test_no_unfinished_work_is_left() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = [
        str(path)
        for path, text in texts()
        if path != Path("tests/repo/test_project_rules.py") and marks.search(text)
    ]
    assert not found, f"finish it, or take it out: {found}"
