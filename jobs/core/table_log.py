"""What a Delta table's log says, read without a Spark job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.fs as pa_fs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.core.errors import DamagedTableError


def open_table(folder: str) -> DeltaTable:
    """A handle on the latest version; a commit wants a fresh one.

    Raises
    ------
    DamagedTableError
        Its log cannot be read.
    """
    with _damage(folder):
        return DeltaTable(folder)


def is_table(folder: str) -> bool:
    """True once the table holds a commit."""
    return DeltaTable.is_deltatable(folder)


def read_rows(folder: str) -> list[dict[str, Any]]:
    """Content of a small table, a dictionary per row; much faster than a Spark job.

    Raises
    ------
    DamagedTableError
        Its log or a file of it cannot be read.
    """
    handle = open_table(folder)
    # Not delta-rs's own file system: it is Python, which Arrow's threads call until the very end,
    # and one that does so while the process exits aborts it (134 instead of the exit code).
    files = pa_fs.SubTreeFileSystem(folder, pa_fs.LocalFileSystem())
    with _damage(folder):
        return handle.to_pyarrow_table(filesystem=files).to_pylist()


@contextmanager
def _damage(folder: str) -> Iterator[None]:
    try:
        yield
    except (DeltaError, OSError, pa.ArrowException) as error:
        raise DamagedTableError(f"{folder}: {str(error).splitlines()[0]}") from error


def has_committed(folder: str, transaction: str) -> bool:
    """Tell whether a load of this name was ever committed to the table."""
    return open_table(folder).transaction_version(transaction) is not None


def constants_by_file(folder: str, column: str) -> set[str] | None:
    """Values of a text column that is constant within each file, from their statistics alone.

    Returns
    -------
    set of str or None
        None where some file has several values, or no statistics.
    """
    extremes = _extremes(folder, column)
    if extremes is None:
        return None
    least, most = extremes
    return None if least != most or None in least else set(least)


def bounds(folder: str, column: str) -> tuple[Any, Any] | None:
    """Smallest and greatest value of a column by the files' statistics; None without any."""
    extremes = _extremes(folder, column)
    if extremes is None:
        return None
    least, most = extremes
    return None if not least or None in least + most else (min(least), max(most))


def _extremes(folder: str, column: str) -> tuple[list[Any], list[Any]] | None:
    """Smallest and greatest value in each file, two empty lists without files.

    None where no file has statistics of the column.
    """
    actions = pa.table(open_table(folder).get_add_actions(flatten=True))
    if not actions.num_rows:
        return [], []
    names = [f"{end}.{column}" for end in ("min", "max")]
    if not set(names) <= set(actions.column_names):
        return None
    least, most = (actions[name].to_pylist() for name in names)
    return least, most
