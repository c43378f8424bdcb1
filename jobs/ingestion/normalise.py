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


class Cell(NamedTuple):
    """A mapped column and its stored type."""

    column: Column
    kind: T.DataType

    @property
    def text(self) -> Column:
        """The column as text."""
        return self.column.cast("string")


Cells = dict[str, Cell]
# Condition, rule and message: a row breaks the first rule whose condition holds.
Problem = tuple[Column, str, str | Column]
Typed = tuple[dict[str, Column], list[Problem]]


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
    cells = _cells(frame, source)
    typed, problems = _TYPED[name](cells, source, clock)
    raw_ids = {"user_id": cells["user_id"].text}
    own_id = SHAPES[name].own_id
    if own_id is not None:
        # A log without ids of its own: each line is another row, also one that looks the same.
        place = Cell(F.concat_ws(":", "file_sha256", "line_number"), T.StringType())
        raw_ids = {own_id: cells.get(own_id, place).text, **raw_ids}
    missing = [(raw.isNull(), "missing_key", f"{i} is empty") for i, raw in raw_ids.items()]
    is_whole = F.col("fault").isNull()
    unreadable = (~is_whole, "unparseable_line", F.col("fault"))
    rule, message = _judgement([unreadable, *missing, *problems])
    judged = frame.select(
        *PLACE,
        *[F.when(is_whole, raw).alias(f"raw_{i}") for i, raw in raw_ids.items()],
        *[F.when(is_whole, column).alias(column_name) for column_name, column in typed.items()],
        rule.alias("rule"),
        message.alias("message"),
    )
    keyed = judged.withColumns(
        {f"keyed_{i}": pseudonymise(F.col(f"raw_{i}"), DOMAINS[i], key) for i in raw_ids}
    )
    date = F.col("signup_date") if name == "users" else local_date(F.col("ts"), clock.tz)
    return keyed.select(
        *[F.col(f"keyed_{i}.id").alias(i) for i in raw_ids],
        *[F.col(f"keyed_{i}.check").alias(f"{DOMAINS[i]}_check") for i in raw_ids],
        *typed,
        date.alias("row_date"),
        # Only what is turned away points back to its line; the rest need not carry it along.
        "line_number",
        *[
            F.when(F.col("rule").isNotNull(), F.col(place)).alias(place)
            for place in ("file_name", "line_length", "line_sha256")
        ],
        "rule",
        "message",
    )


def _cells(frame: DataFrame, source: Source) -> dict[str, Cell]:
    """Mapped columns and constants; text without blanks around it, empty text as NULL."""
    cells = {}
    for field in frame.drop(*PLACE).schema:
        column = F.col(field.name)
        if field.dataType == T.StringType():
            column = F.nullif(F.btrim(column, F.lit(" \t")), F.lit(""))
        cells[field.name] = Cell(column, field.dataType)
    for name, value in source.constants.items():
        cells[name] = Cell(F.lit(value), T.StringType())
    return cells


def _users(cells: Cells, source: Source, clock: Clock) -> Typed:
    cell = cells["signup_date"]
    signup_date = calendar_date(cell.column, cell.kind, source, clock.tz)
    country, country_problems = _name(cells, "country")
    channel, channel_problems = _name(cells, "channel")
    ingest_ts, ingest_problems = _ingest_ts(cells, source, signup_date.cast("timestamp"))
    problems = [
        (signup_date.isNull(), "unparseable_date", "signup_date is empty or no date"),
        (signup_date > F.lit(clock.latest.date()), "date_in_future", "signup_date has not come"),
        *ingest_problems,
        *country_problems,
        *channel_problems,
    ]
    typed = {"signup_date": signup_date, "country": country, "channel": channel}
    return {**typed, "ingest_ts": ingest_ts}, problems


def _events(cells: Cells, source: Source, clock: Clock) -> Typed:
    moments, problems = _moments(cells, source, clock)
    event_type, name_problems = _name(cells, "event_type")
    theirs = source.event_types if isinstance(source, EventsSource) else {}
    if theirs:
        pairs = [F.lit(text) for pair in theirs.items() for text in pair]
        event_type = F.coalesce(F.try_element_at(F.create_map(*pairs), event_type), event_type)
    value = F.lit(None).cast("double")
    if "value" in cells:
        exact = number(cells["value"].column)
        value = exact.cast("double")
        is_good = F.coalesce(F.abs(exact) < MAX_VALUE, F.lit(False))
        bad = cells["value"].column.isNotNull() & ~is_good
        name_problems.append((bad, "unparseable_value", "value is no number of up to 16 digits"))
    no_type = (event_type.isNull(), "missing_event_type", "event_type is empty")
    typed = {"ts": moments["ts"], "event_type": event_type, "value": value}
    return {**typed, "ingest_ts": moments["ingest_ts"]}, [*problems, no_type, *name_problems]


def _orders(cells: Cells, source: Source, clock: Clock) -> Typed:
    moments, problems = _moments(cells, source, clock)
    exact = number(cells["amount"].column)
    amount = F.round(exact, 2).try_cast(CENTS)
    no_amount = (amount.isNull(), "unparseable_amount", "amount is no number of up to 16 digits")
    problems = [*problems, no_amount]
    if not (isinstance(source, OrdersSource) and source.round_amounts):
        hint = "amount has more than 2 decimals; round_amounts: true in the mapping rounds them"
        problems.append((amount != exact, "unparseable_amount", hint))
    return {"ts": moments["ts"], "amount": amount, "ingest_ts": moments["ingest_ts"]}, problems


def _moments(cells: Cells, source: Source, clock: Clock) -> Typed:
    ts = moment(cells["ts"].column, cells["ts"].kind, source)
    ingest_ts, problems = _ingest_ts(cells, source, ts)
    return {"ts": ts, "ingest_ts": ingest_ts}, [
        (ts.isNull(), "unparseable_ts", "ts is empty or not in the format of the mapping"),
        (ts > F.lit(clock.latest), "ts_in_future", "ts has not come yet"),
        *problems,
    ]


def _ingest_ts(cells: Cells, source: Source, otherwise: Column) -> tuple[Column, list[Problem]]:
    """Arrival as mapped; where the log does not know it, the row's own time."""
    if "ingest_ts" not in cells:
        return otherwise, []
    cell = cells["ingest_ts"]
    parsed = moment(cell.column, cell.kind, source)
    bad = cell.column.isNotNull() & parsed.isNull()
    message = "ingest_ts is not in the format of the mapping"
    return F.coalesce(parsed, otherwise), [(bad, "unparseable_ingest_ts", message)]


def _name(cells: Cells, name: str) -> tuple[Column, list[Problem]]:
    if name not in cells:
        return F.lit(None).cast("string"), []
    column = cells[name].column
    is_unusable = (F.length(column) > MAX_NAME_LENGTH) | column.rlike(r"[\x00-\x1f\x7f]")
    message = f"{name} is over {MAX_NAME_LENGTH} characters or has control characters"
    return column, [(is_unusable, "unusable_text", message)]


def _judgement(problems: list[Problem]) -> tuple[Column, Column]:
    """Rule and message of the first problem that holds."""
    rules = [F.when(is_wrong, F.lit(rule)) for is_wrong, rule, _ in problems]
    messages = [
        F.when(is_wrong, message if isinstance(message, Column) else F.lit(message))
        for is_wrong, _, message in problems
    ]
    return F.coalesce(*rules), F.coalesce(*messages)


_TYPED: dict[str, Callable[[Cells, Source, Clock], Typed]] = {
    "users": _users,
    "events": _events,
    "orders": _orders,
}
