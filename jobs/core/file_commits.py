"""Commits of data files that workers wrote: all files of a load as one Delta version.

Goes through delta-rs, which takes any file it is told of: it looks at neither the files nor the
table's CHECK constraints. So both are looked at here, first.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import AddAction

from jobs.core.data_files import DataFile, FileLayout, arrow_schema, check_data_file
from jobs.core.errors import ConflictError, ContractError, StorageError
from jobs.core.table_log import open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jobs.core.catalog import Table

_CONSTRAINTS = "delta.constraints."


def create_table(table: Table, folder: str, run_id: str) -> None:
    """Make an empty table; one that is there already stays as it is.

    Raises
    ------
    StorageError
        Its folder cannot be made.
    """
    try:
        DeltaTable.create(
            folder,
            arrow_schema(table),
            mode="ignore",
            partition_by=list(table.contract.partition_by),
            description=table.contract.description,
            commit_properties=_commit_properties(run_id),
        )
    except (DeltaError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise StorageError(f"{folder}: {reason}; check folder and rights") from error


def write_batches(
    table: Table,
    folder: str,
    batches: Iterator[pa.RecordBatch],
    run_id: str,
    mode: Literal["append", "overwrite"],
    predicate: str | None = None,
) -> int:
    """Write rows into a table as one version; returns how many.

    Parameters
    ----------
    table
        Contract of the table, which must exist.
    folder
        Folder of the Delta table.
    batches
        The rows, with the columns of the contract in its order; read once, piece by piece.
    run_id
        Goes into the commit's userMetadata, as with every write of the project.
    mode
        append, or overwrite: the whole table, or the rows that satisfy `predicate`.
    predicate
        SQL condition; a new row that does not satisfy it fails the write.

    Raises
    ------
    ContractError
        A row lies outside the predicate, or is NULL where the contract allows none.
    ConflictError
        Another writer changed the table meanwhile.
    StorageError
        The disk refuses.
    """
    rows = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal rows
        for batch in batches:
            rows += batch.num_rows
            yield batch.cast(schema)

    schema = arrow_schema(table).remove_metadata()
    with _refusals(folder):
        write_deltalake(
            open_table(folder),
            pa.RecordBatchReader.from_batches(schema, counted()),
            mode=mode,  # type: ignore[arg-type]
            predicate=predicate,
            commit_properties=_commit_properties(run_id),
            writer_properties=WriterProperties(compression="ZSTD", compression_level=1),
        )
    return rows


@contextmanager
def _refusals(folder: str) -> Iterator[None]:
    try:
        yield
    except CommitFailedError as error:
        raise ConflictError(f"{folder}: another writer changed it first; run again") from error
    except (DeltaError, OSError) as error:
        lines = [line for line in str(error).splitlines() if line]
        if "failed validation check" in lines[0]:
            example = " ".join(line for line in lines[3:] if line.startswith("|"))[:200]
            raise ContractError(
                f"{folder}: a row outside what is replaced, or NULL where none may be: {example}"
            ) from error
        raise StorageError(f"{folder}: {lines[0]}; the table keeps its version") from error


def commit_files(
    handle: DeltaTable,
    layout: FileLayout,
    files: Sequence[DataFile],
    transaction: str,
    run_id: str,
) -> int:
    """Add files to a table in one version; returns their rows.

    Parameters
    ----------
    handle
        From `open_table`; what others changed since then is either harmless or refused.
    layout
        The table.
    files
        At least one, all of this table.
    transaction
        Name of the load, kept in the table's log; see `has_committed`.
    run_id
        Goes into the commit's userMetadata, as with every write of the project.

    Raises
    ------
    ContractError
        A file or the stored table breaks the contract, or the table has a CHECK constraint.
    StorageError
        A file is not there.
    ConflictError
        Another writer changed the table in a way that matters.
    """
    _refuse_other_table(handle, layout)
    for file in files:
        check_data_file(layout, file)
    rows = sum(file.rows for file in files)
    version = (handle.transaction_version(transaction) or 0) + 1
    # In the words of Spark's own commits, so that DESCRIBE HISTORY shows one kind of row.
    metrics = {
        "numFiles": str(len(files)),
        "numOutputRows": str(rows),
        "numOutputBytes": str(sum(file.size for file in files)),
    }
    with _refusals(layout.folder):
        handle.create_write_transaction(
            [_add_action(layout, file) for file in files],
            mode="append",
            schema=handle.schema(),
            commit_properties=_commit_properties(
                run_id, [Transaction(transaction, version)], operationMetrics=metrics
            ),
            # Checkpoints and the log's clean-up stay with Spark alone: one set of rules.
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=False, cleanup_expired_logs=False
            ),
        )
    return rows


def _commit_properties(
    run_id: str, transactions: list[Transaction] | None = None, **custom: Any
) -> CommitProperties:
    return CommitProperties(
        custom_metadata={"userMetadata": json.dumps({"run_id": run_id}), **custom},
        app_transactions=transactions,
    )


def _add_action(layout: FileLayout, file: DataFile) -> AddAction:
    modified = (Path(layout.folder) / file.name).stat().st_mtime_ns // 1_000_000
    return AddAction(
        path=file.name,
        size=file.size,
        partition_values={},
        modification_time=modified,
        data_change=True,
        stats=file.statistics,
    )


def _refuse_other_table(handle: DeltaTable, layout: FileLayout) -> None:
    stored = {field.name: field.type for field in pa.schema(handle.schema().to_arrow())}
    expected = {field.name: field.type for field in layout.schema}
    if stored != expected:
        raise ContractError(
            f"{layout.folder} was made with other columns than its contract has now: "
            f"{sorted(set(stored.items()) ^ set(expected.items()), key=str)}"
        )
    configuration = handle.metadata().configuration
    constraints = [name for name in configuration if name.startswith(_CONSTRAINTS)]
    if constraints:
        names = ", ".join(name.removeprefix(_CONSTRAINTS) for name in constraints)
        raise ContractError(
            f"{layout.folder} has CHECK constraints ({names}), which files written beside Spark "
            "would not pass through: set generate.writer: spark"
        )
