"""Columns against a contract, in one wording for Spark's frames and for data files."""

from __future__ import annotations

import json

import pyarrow as pa
from pyspark.sql.types import StructType

from jobs.core.errors import ContractError
from jobs.core.table_log import open_table


def refuse_other_columns(table: str, expected: dict[str, str], got: dict[str, str]) -> None:
    """Hold columns against a contract.

    Parameters
    ----------
    table
        Named in the message.
    expected, got
        Type of each column, in words of one kind.

    Raises
    ------
    ContractError
        A column is missing, new, or of another type; the message lists expected and got.
    """
    differences = [
        f"{name}: expected {expected.get(name, 'no such column')}, got {got.get(name, 'none')}"
        for name in [*expected, *sorted(set(got) - set(expected))]
        if expected.get(name) != got.get(name)
    ]
    if differences:
        raise ContractError(f"{table} breaks its contract: {'; '.join(differences)}")


def plain_strings(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Write out dictionaries: Spark takes plain strings from Python, and none of those."""
    columns = [
        column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def columns_of(schema: StructType) -> dict[str, str]:
    """Type of each column, in Spark's words."""
    return {field.name: field.dataType.simpleString() for field in schema}


def stored_columns(path: str) -> dict[str, str]:
    """Type of each column of a stored table, in Spark's words."""
    return columns_of(StructType.fromJson(json.loads(open_table(path).schema().to_json())))
