"""Rows as read -> rows of bronze, or the rule that keeps them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.ingestion.mapping import SHAPES, EventsSource, OrdersSource, Source
from jobs.ingestion.moments import CENTS, MAX_VALUE, calendar_date, local_date, moment, number
from jobs.ingestion.pseudonyms import DOMAINS, pseudonymise
from jobs.ingestion.readers import PLACE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A longer name of a country, channel or event type is text that went astray.
MAX_NAME_LENGTH = 200


Kinds = dict[str, T.DataType]
# Condition, rule and message: a row breaks the first rule whose condition holds.
Problem = tuple[Column, str, str | Column]


def normalise(frame: DataFrame, name: str, source: Source, clock: Clock, key: bytes) -> DataFrame:
    """Type, judge and pseudonymise the rows of one input.

    One select after the other, each using the columns of the one before by name: a timestamp that
    is tested, compared and stored is then read from its text once and not each time.

    Parameters
    ----------
    frame
        The columns of PLACE and our mapped columns, see readers.
    name
        users, events or orders.

    Returns
    -------
    DataFrame
        The bronze columns but source and batch_id; of each id its check (see `pseudonymise`), as
        user_check and so on; row_date; rule and message, NULL if valid; line_number; and of rows
        with a rule, file_name, line_length and line_sha256.
    """
    own_id = SHAPES[name].own_id
    ids = ["user_id"] if own_id is None else [own_id, "user_id"]
    cells, kinds = _cells(frame, source, own_id)
    read = cells.withColumns(_READ[name](kinds, source, clock))
    typed, problems = _TYPED[name](kinds, source, clock)
    missing = [(F.col(f"cell_{i}").isNull(), "missing_key", f"{i} is empty") for i in ids]
    unreadable = (F.col("fault").isNotNull(), "unparseable_line", F.col("fault"))
    rule, message = _judgement([unreadable, *missing, *problems])
    row_date = F.col("signup_date") if name == "users" else local_date(F.col("ts"), clock.tz)
    judged = read.select(
        *[pseudonymise(F.col(f"cell_{i}"), DOMAINS[i], key).alias(f"keyed_{i}") for i in ids],
        *[column.alias(ours) for ours, column in typed.items()],
        row_date.alias("row_date"),
        rule.alias("rule"),
        message.alias("message"),
        *PLACE,
    )
    return judged.select(
        *[F.col(f"keyed_{i}.id").alias(i) for i in ids],
        *[F.col(f"keyed_{i}.check").alias(f"{DOMAINS[i]}_check") for i in ids],
        *typed,
        "row_date",
        "rule",
        "message",
        "line_number",
        # Only what is turned away points back to its line; the rest need not carry it along.
        *[
            F.when(F.col("rule").isNotNull(), F.col(place)).alias(place)
            for place in ("file_name", "line_length", "line_sha256")
        ],
    )


def _cells(frame: DataFrame, source: Source, own_id: str | None) -> tuple[DataFrame, Kinds]:
    """Mapped columns and constants as cell_<name>, and their types.

    Text comes without blanks around it, and empty text as NULL; ids come as text.
    """
    kinds = {field.name: field.dataType for field in frame.drop(*PLACE).schema}
    cells = {}
    for name, kind in kinds.items():
        column = F.col(name).cast("string") if name in DOMAINS else F.col(name)
        if kind == T.StringType():
            column = F.nullif(F.btrim(column, F.lit(" \t")), F.lit(""))
        cells[name] = F.when(F.col("fault").isNull(), column)
    for name, value in source.constants.items():
        cells[name] = F.lit(value)
        kinds[name] = T.StringType()
    if own_id is not None and own_id not in cells:
        # A log without ids of its own: each line is another row, also one that looks the same.
        place = F.concat_ws(":", "file_sha256", "line_number")
        cells[own_id] = F.when(F.col("fault").isNull(), place)
    named = [column.alias(f"cell_{name}") for name, column in cells.items()]
    return frame.select(*PLACE, *named), kinds


def _read_users(kinds: Kinds, source: Source, clock: Clock) -> dict[str, Column]:
    cell = F.col("cell_signup_date")
    date = calendar_date(cell, kinds["signup_date"], source, clock.tz)
    return {"read_date": date, **_read_arrival(kinds, source)}


def _read_events(kinds: Kinds, source: Source, clock: Clock) -> dict[str, Column]:
    value = number(F.col("cell_value")) if "value" in kinds else F.lit(None).cast("double")
    event_type = F.col("cell_event_type")
    if isinstance(source, EventsSource) and source.event_types:
        pairs = [F.lit(text) for pair in source.event_types.items() for text in pair]
        event_type = F.coalesce(F.try_element_at(F.create_map(*pairs), event_type), event_type)
    ts = moment(F.col("cell_ts"), kinds["ts"], source)
    return {
        "read_ts": ts,
        "event_type": event_type,
        "read_value": value,
        **_read_arrival(kinds, source),
    }


def _read_orders(kinds: Kinds, source: Source, clock: Clock) -> dict[str, Column]:
    ts = moment(F.col("cell_ts"), kinds["ts"], source)
    amount = number(F.col("cell_amount"))
    return {"read_ts": ts, "read_amount": amount, **_read_arrival(kinds, source)}


def _read_arrival(kinds: Kinds, source: Source) -> dict[str, Column]:
    if "ingest_ts" not in kinds:
        return {}
    return {"read_arrival": moment(F.col("cell_ingest_ts"), kinds["ingest_ts"], source)}
