"""Data files that no version of a table names: what a run left that died before its commit.

VACUUM would remove them too, but it waits a week by default, and with what it removes time travel
ends. Here a file counts as named if any entry still in the table's log adds or removes it, so
every version that can be read today can be read afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

import pyarrow.parquet as pq

from jobs.core.errors import DamagedTableError, StorageError

_LOG = "_delta_log"
_ACTIONS = ("add", "remove", "cdc")


@dataclass(frozen=True)
class Orphan:
    """A data file that no version names, with its bytes."""

    path: Path
    size: int


def find_orphans(folder: Path, older_than_hours: float = 0.0) -> list[Orphan]:
    """Look for a table's orphans, in order of their names.

    Parameters
    ----------
    folder
        Folder of a Delta table. Nobody may be writing to the table: files about to be committed
        look the same. Its log must be whole, or files that a lost entry names look the same too.
    older_than_hours
        Leave younger files alone.

    Raises
    ------
    DamagedTableError
        A log entry cannot be read, so nobody knows what it names.
    """
    candidates = [path for path in folder.rglob("*.parquet") if not _is_hidden(path, folder)]
    named = set(_named_files(folder))
    limit = time.time() - older_than_hours * 3600
    return [
        Orphan(path, path.stat().st_size)
        for path in sorted(candidates)
        if path not in named and path.stat().st_mtime <= limit
    ]


def remove_orphans(orphans: list[Orphan]) -> None:
    """Remove files and the checksums that Spark may have written beside them.

    Raises
    ------
    StorageError
        A file cannot be removed; those before it are.
    """
    for orphan in orphans:
        try:
            orphan.path.unlink()
            orphan.path.with_name(f".{orphan.path.name}.crc").unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{orphan.path} cannot be removed: {error.strerror}") from error


def render_orphans(found: dict[str, list[Orphan]], removed: bool) -> str:
    """Format table, files and bytes of each table that has orphans, and what became of them."""
    width = max(map(len, found), default=0)
    lines = [
        f"{name:<{width}} {_files(len(orphans)):>12} {sum(o.size for o in orphans):>16,} bytes"
        for name, orphans in found.items()
        if orphans
    ]
    count = sum(map(len, found.values()))
    done = "removed" if removed else "could be removed"
    return "\n".join([*lines, f"{_files(count)} {done}" if count else "no file is left over"])


def _files(count: int) -> str:
    return f"{count:,} file{'' if count == 1 else 's'}"


def _is_hidden(path: Path, folder: Path) -> bool:
    """Readers skip names that begin so; what lies there (the log, change data) is not ours."""
    return any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


def _named_files(folder: Path) -> Iterator[Path]:
    log = folder / _LOG
    for path in sorted(log.glob("*.json")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError as error:
                raise DamagedTableError(f"{path} is not a log of Delta: {error}") from error
            for name in _ACTIONS:
                if name in entry:
                    yield _place(folder, entry[name]["path"])
    # Checkpoints, whole or in parts, and the files that newer ones keep beside them.
    for path in sorted(log.rglob("*.parquet")):
        try:
            checkpoint = pq.ParquetFile(path)
            known = [name for name in _ACTIONS if name in checkpoint.schema_arrow.names]
            rows = checkpoint.read(columns=[f"{name}.path" for name in known])
        except (OSError, ValueError) as error:
            raise DamagedTableError(f"{path} cannot be read: {error}") from error
        for name in known:
            for value in rows.column(name).to_pylist():
                if value is not None and value["path"] is not None:
                    yield _place(folder, value["path"])


def _place(folder: Path, name: str) -> Path:
    """Resolve a name of the log: a URL, relative to the table's folder unless it is absolute."""
    return folder / unquote(urlparse(name).path if name.startswith("file:") else name)
