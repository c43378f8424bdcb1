"""The columns a file must have, and of which types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import types as T

from jobs.core.errors import ContractError
from jobs.ingestion.fields import split_header
from jobs.ingestion.inputs import InputFile, InputFiles, first_line, parquet_schema
from jobs.ingestion.mapping import EPOCH_FORMATS, Source, columns_of
from jobs.ingestion.pseudonyms import DOMAINS

if TYPE_CHECKING:
    from pyspark.sql.types import StructType


def check_columns(inputs: InputFiles, name: str, source: Source) -> list[str]:
    """Check the columns of every file against the mapping, before Spark reads any.

    Returns
    -------
    list of str
        Layout of a line: a name per field (the position where there is no header); of JSON lines
        and Parquet the columns wanted.

    Raises
    ------
    ContractError
        A file lacks a mapped column, or its columns differ from those of its siblings.
    """
    wanted = columns_of(name, source)
    if source.format == "jsonl":
        return sorted(set(wanted.values()))
    layouts = {file.name: _layout(file, source) for file in inputs.files}
    for file in inputs.files:
        expect_columns(file.path, wanted, layouts[file.name])
    if source.format == "parquet":
        _same_types(inputs, wanted)
        return sorted(set(wanted.values()))
    layout = layouts[inputs.files[0].name]
    for file in inputs.files:
        if layouts[file.name] != layout:
            raise ContractError(
                f"{file.path} differs from {inputs.files[0].name}: expected "
                f"{', '.join(layout)}; got {', '.join(layouts[file.name])}"
            )
    return layout


def expect_columns(file: Path, wanted: dict[str, str], got: list[str]) -> None:
    """Check that a file has every mapped column.

    Raises
    ------
    ContractError
        One or more are missing, or a name stands for two columns.
    """
    missing = [
        theirs if theirs == ours else f"{theirs} (for {ours})"
        for ours, theirs in wanted.items()
        if theirs not in got
    ]
    if missing:
        raise ContractError(
            f"{file} differs from its mapping: expected {', '.join(missing)}; got {', '.join(got)}"
        )
    twice = sorted({name for name in wanted.values() if got.count(str(name)) > 1}, key=str)
    if twice:
        raise ContractError(f"{file}: column {twice[0]} is there twice; expected once")


def check_types(schema: StructType, label: str, source: Source) -> None:
    """Refuse Parquet columns of a type that cannot be what they are mapped to.

    An id stored as DOUBLE would read as 123.0 here and as 123 in the next file.

    Raises
    ------
    ContractError
        Names the column, the types expected and the type found.
    """
    whole = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
    numbers = (T.StringType, T.DecimalType, T.FloatType, T.DoubleType, *whole)
    moments = (T.TimestampType, T.TimestampNTZType, T.DateType)
    is_epoch = source.ts_format in EPOCH_FORMATS
    times = (T.StringType, *moments, *((*whole, T.DoubleType, T.DecimalType) if is_epoch else ()))
    allowed = {
        **dict.fromkeys(DOMAINS, (T.StringType, *whole)),
        **dict.fromkeys(("ts", "ingest_ts", "signup_date"), times),
        **dict.fromkeys(("amount", "value"), numbers),
        **dict.fromkeys(("country", "channel", "event_type"), (T.StringType,)),
    }
    for field in schema:
        if not isinstance(field.dataType, allowed[field.name]):
            expected = ", ".join(kind.typeName().upper() for kind in allowed[field.name])
            raise ContractError(
                f"{label}: column for {field.name}: expected one of {expected}; "
                f"got {field.dataType.simpleString().upper()}"
            )


def _layout(file: InputFile, source: Source) -> list[str]:
    if source.format == "parquet":
        return parquet_schema(file.path).names
    fields = split_header(first_line(file.path), source)
    if source.by_position:
        return [str(place) for place in range(1, len(fields) + 1)]
    return fields


def _same_types(inputs: InputFiles, wanted: dict[str, str]) -> None:
    first = parquet_schema(inputs.files[0].path)
    for file in inputs.files[1:]:
        schema = parquet_schema(file.path)
        for theirs in wanted.values():
            expected, got = first.field(theirs).type, schema.field(theirs).type
            if expected != got:
                raise ContractError(
                    f"{file.path} differs from {inputs.files[0].name}: column {theirs} expected "
                    f"{expected}; got {got}"
                )
