"""Rows as read -> rows of bronze, or the rule that keeps them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.ingestion.mapping import SHAPES, EventsSource, OrdersSource, Source
from jobs.ingestion.moments import (
    CENTS,
    MAX_VALUE,
    calendar_date,
    in_years,
    local_date,
    moment,
    number,
)
from jobs.ingestion.pseudonyms import DOMAINS, pseudonymise
from jobs.ingestion.readers import PLACE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# A longer name of a country, channel or event type is text that went astray.
MAX_NAME_LENGTH = 200
NAMES = ("country", "channel", "event_type")
# Condition, rule and message: a row breaks the first rule whose condition holds.
Problem = tuple[Column, str, str | Column]


@dataclass(frozen=True)
class Clock:
    """What dates are judged by.

    Parameters
    ----------
    tz
        Business time zone.
    latest
        No row can be from after this moment: it has not come yet.
    """

    tz: str
    latest: datetime


def normalise(frame: DataFrame, name: str, source: Source, clock: Clock, key: bytes) -> DataFrame:
    """Type, judge and pseudonymise the rows of one input.

    One select after the other, each taking the columns of the one before by name: a timestamp that
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
    read = cells.withColumns(
        {f"read_{ours}": _read(ours, kind, source, clock) for ours, kind in kinds.items()}
    )
    typed = _typed(name, set(kinds))
    rule, message = _judgement(
        [
            (F.col("fault").isNotNull(), "unparseable_line", F.col("fault")),
            *[(F.col(f"cell_{i}").isNull(), "missing_key", f"{i} is empty") for i in ids],
            *_time_problems(set(kinds), clock),
            *_text_problems(set(kinds)),
            *_number_problems(set(kinds), source),
        ]
    )
    judged = read.select(
        *[pseudonymise(F.col(f"cell_{i}"), DOMAINS[i], key).alias(f"keyed_{i}") for i in ids],
        *[column.alias(ours) for ours, column in typed.items()],
        rule.alias("rule"),
        message.alias("message"),
        *PLACE,
    )
    row_date = F.col("signup_date") if name == "users" else local_date(F.col("ts"), clock.tz)
    return judged.select(
        *[F.col(f"keyed_{i}.id").alias(i) for i in ids],
        *[F.col(f"keyed_{i}.check").alias(f"{DOMAINS[i]}_check") for i in ids],
        *typed,
        row_date.alias("row_date"),
        "rule",
        "message",
        "line_number",
        # Only what is turned away points back to its line; the rest need not carry it along.
        *[
            F.when(F.col("rule").isNotNull(), F.col(place)).alias(place)
            for place in ("file_name", "line_length", "line_sha256")
        ],
    )


def _cells(
    frame: DataFrame, source: Source, own_id: str | None
) -> tuple[DataFrame, dict[str, T.DataType]]:
    """Mapped columns and constants as cell_<name>, and their types.

    Text comes without blanks around it, and empty text as NULL; ids come as text.
    """
    kinds = {field.name: field.dataType for field in frame.drop(*PLACE).schema}
    cells = {}
    for name, kind in kinds.items():
        column = F.col(name)
        if kind == T.StringType():
            column = F.nullif(F.btrim(column, F.lit(" \t")), F.lit(""))
        if name in DOMAINS:
            column = column.cast("string")
        cells[name] = F.when(F.col("fault").isNull(), column)
    for name, value in source.constants.items():
        cells[name] = F.lit(value)
        kinds[name] = T.StringType()
    if own_id is not None and own_id not in cells:
        # A log without ids of its own: each line is another row, also one that looks the same.
        cells[own_id] = F.concat_ws(":", "file_sha256", "line_number")
    named = [column.alias(f"cell_{name}") for name, column in cells.items()]
    return frame.select(*PLACE, *named), kinds


def _read(name: str, kind: T.DataType, source: Source, clock: Clock) -> Column:
    """Value of a cell; NULL where it cannot be read."""
    cell = F.col(f"cell_{name}")
    if name in ("ts", "ingest_ts"):
        return moment(cell, kind, source)
    if name == "signup_date":
        return calendar_date(cell, kind, source, clock.tz)
    if name in ("amount", "value"):
        return number(cell)
    if name == "event_type" and isinstance(source, EventsSource) and source.event_types:
        pairs = [F.lit(text) for pair in source.event_types.items() for text in pair]
        return F.coalesce(F.try_element_at(F.create_map(*pairs), cell), cell)
    return cell


def _typed(name: str, mapped: set[str]) -> dict[str, Column]:
    """Columns of bronze but ids; what is not mapped is NULL, ingest_ts the row's own time."""
    if name == "users":
        typed = {"signup_date": in_years(F.col("read_signup_date"))}
        arrival = typed["signup_date"].cast("timestamp")
    else:
        arrival = in_years(F.col("read_ts"))
        typed = {"ts": arrival}
    for ours in SHAPES[name].model:
        if ours in NAMES:
            typed[ours] = _or_null(ours, mapped, "string")
    if name == "events":
        typed["value"] = _or_null("value", mapped, "double")
    if name == "orders":
        typed["amount"] = _amount()
    if "ingest_ts" in mapped:
        arrival = F.coalesce(in_years(F.col("read_ingest_ts")), arrival)
    return {**typed, "ingest_ts": arrival}


def _or_null(name: str, mapped: set[str], kind: str) -> Column:
    return (F.col(f"read_{name}") if name in mapped else F.lit(None)).cast(kind)


def _amount() -> Column:
    return F.round("read_amount", 2).try_cast(CENTS)


def _time_problems(mapped: set[str], clock: Clock) -> list[Problem]:
    problems: list[Problem] = []
    if "ts" in mapped:
        ts = F.col("read_ts")
        message = "ts is empty or not in the format of the mapping"
        problems += [
            (in_years(ts).isNull(), "unparseable_ts", message),
            (ts > F.lit(clock.latest), "ts_in_future", "ts has not come yet"),
        ]
    if "signup_date" in mapped:
        date = F.col("read_signup_date")
        message = "signup_date is empty or not in the format of the mapping"
        problems += [
            (in_years(date).isNull(), "unparseable_date", message),
            (date > F.lit(clock.latest.date()), "date_in_future", "signup_date has not come yet"),
        ]
    if "ingest_ts" in mapped:
        # Empty is allowed: not every row of a log need know when it arrived.
        is_bad = F.col("cell_ingest_ts").isNotNull() & in_years(F.col("read_ingest_ts")).isNull()
        message = "ingest_ts is not in the format of the mapping"
        problems.append((is_bad, "unparseable_ingest_ts", message))
    return problems


def _text_problems(mapped: set[str]) -> list[Problem]:
    problems: list[Problem] = []
    if "event_type" in mapped:
        is_missing = F.col("cell_event_type").isNull()
        problems.append((is_missing, "missing_event_type", "event_type is empty"))
    for name in NAMES:
        if name in mapped:
            column = F.col(f"cell_{name}")
            is_unusable = F.length(column) > MAX_NAME_LENGTH
            is_unusable |= column.rlike(r"[\x00-\x1f\x7f]")
            message = f"{name} is over {MAX_NAME_LENGTH} characters or has control characters"
            problems.append((is_unusable, "unusable_text", message))
    return problems


def _number_problems(mapped: set[str], source: Source) -> list[Problem]:
    problems: list[Problem] = []
    if "value" in mapped:
        is_good = F.coalesce(F.abs("read_value") < MAX_VALUE, F.lit(False))
        is_bad = F.col("cell_value").isNotNull() & ~is_good
        problems.append((is_bad, "unparseable_value", "value is no number of up to 16 digits"))
    if "amount" in mapped:
        message = "amount is no number of up to 16 digits"
        problems.append((_amount().isNull(), "unparseable_amount", message))
        if not (isinstance(source, OrdersSource) and source.round_amounts):
            message = "amount has more than 2 decimals; round_amounts: true in the mapping rounds"
            is_finer = _amount() != F.col("read_amount")
            problems.append((is_finer, "unparseable_amount", message))
    return problems


def _judgement(problems: list[Problem]) -> tuple[Column, Column]:
    """Rule and message of the first problem that holds."""
    rules = [F.when(is_wrong, F.lit(rule)) for is_wrong, rule, _ in problems]
    messages = [
        F.when(is_wrong, message if isinstance(message, Column) else F.lit(message))
        for is_wrong, _, message in problems
    ]
    return F.coalesce(*rules), F.coalesce(*messages)
