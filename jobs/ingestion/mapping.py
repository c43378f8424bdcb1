"""The mapping file: which column of a team's log is which column of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pydantic
import yaml
from pydantic import StrictInt, StrictStr
from pydantic.dataclasses import dataclass as validated

from jobs.core.errors import UsageError
from jobs.core.validation import first_problem

EPOCH_FORMATS = ("epoch_seconds", "epoch_millis")
OFFSET_LETTERS = frozenset("VzOXxZ")
TIME_LETTERS = frozenset("aHhKkmsSAnN")

_STRICT = pydantic.ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Shape:
    """The columns of one input.

    Parameters
    ----------
    model
        Columns of the data model in order; what a file without a mapping must have.
    required
        Columns that must come from the file or from `constants`.
    constants
        Columns that may be given once for the whole file.
    own_id
        The row's own id; made from file and line number where the log has none.
    """

    model: tuple[str, ...]
    required: tuple[str, ...]
    constants: tuple[str, ...] = ()
    own_id: str | None = None

    @property
    def known(self) -> tuple[str, ...]:
        """All columns a mapping may name; ingest_ts is when a row arrived."""
        return (*self.model, "ingest_ts")


SHAPES = {
    "users": Shape(
        model=("user_id", "signup_date", "country", "channel"),
        required=("user_id", "signup_date"),
        constants=("country", "channel"),
    ),
    "events": Shape(
        model=("event_id", "user_id", "ts", "event_type", "value"),
        required=("user_id", "ts", "event_type"),
        constants=("event_type",),
        own_id="event_id",
    ),
    "orders": Shape(
        model=("order_id", "user_id", "ts", "amount"),
        required=("user_id", "ts", "amount"),
        own_id="order_id",
    ),
}


@validated(frozen=True, config=_STRICT)
class Source:
    """How to read one input.

    Parameters
    ----------
    format
        csv, jsonl (one JSON object per line), parquet, or whitespace (fields divided by blanks).
    delimiter
        csv only; default comma.
    header
        csv (default true) and whitespace (default false): the first line of a file names columns.
    columns
        Our name -> their name, or 1-based position where there is no header. Default: our names.
    constants
        Our name -> one value for every row.
    ts_format
        Spark pattern, epoch_seconds or epoch_millis, of ts, ingest_ts and signup_date. Default:
        ISO 8601.
    timezone
        Of times without an offset, e.g. Europe/Berlin.
    """

    format: Literal["csv", "jsonl", "parquet", "whitespace"] = "csv"
    delimiter: StrictStr | None = None
    header: pydantic.StrictBool | None = None
    columns: dict[str, StrictStr | StrictInt] | None = None
    constants: dict[str, StrictStr] = field(default_factory=dict)
    ts_format: StrictStr | None = None
    timezone: StrictStr = "UTC"

    @property
    def is_text(self) -> bool:
        """True for formats of one row per line."""
        return self.format != "parquet"

    @property
    def has_header(self) -> bool:
        """True if the first line of each file names the columns."""
        if self.format in ("csv", "whitespace"):
            return self.format == "csv" if self.header is None else self.header
        return False

    @property
    def by_position(self) -> bool:
        """True if columns are known by number only."""
        return self.format in ("csv", "whitespace") and not self.has_header

    def has_letters(self, letters: frozenset[str]) -> bool:
        """True if the pattern of ts_format holds one of the letters outside quotes."""
        return bool(letters & set(re.sub(r"'[^']*'", "", self.ts_format or "")))


@validated(frozen=True, config=_STRICT)
class UsersSource(Source):
    """Input of users; nothing beyond what every input has."""


@validated(frozen=True, config=_STRICT)
class EventsSource(Source):
    """Input of events; `event_types` maps their type -> ours, others stay as they are."""

    event_types: dict[str, StrictStr] = field(default_factory=dict)


@validated(frozen=True, config=_STRICT)
class OrdersSource(Source):
    """Input of orders; `round_amounts` rounds half up to cents what has more decimals."""

    round_amounts: bool = False


@validated(frozen=True, config=_STRICT)
class Mapping:
    """A mapping file; an input without a section is a CSV file with our column names."""

    users: UsersSource = field(default_factory=UsersSource)
    events: EventsSource = field(default_factory=EventsSource)
    orders: OrdersSource = field(default_factory=OrdersSource)

    def source(self, name: str) -> Source:
        """Section of an input: users, events or orders."""
        return {"users": self.users, "events": self.events, "orders": self.orders}[name]


def load_mapping(path: Path | None) -> Mapping:
    """Read a mapping file; None is the mapping of files that already have our columns.

    Raises
    ------
    UsageError
        The file cannot be read, or has an unknown or contradictory key; the message names it.
    """
    if path is None:
        return Mapping()
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read mapping {path}: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a day that does not exist
        raise UsageError(f"mapping {path} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(raw, dict):
        raise UsageError(f"mapping {path}: expected sections users, events, orders")
    try:
        mapping = pydantic.TypeAdapter(Mapping).validate_python(raw)
    except pydantic.ValidationError as error:
        raise UsageError(f"mapping {path}: {first_problem(error)}") from error
    for name in SHAPES:
        problem = contradiction(name, mapping.source(name))
        if problem:
            raise UsageError(f"mapping {path}: {name}.{problem}")
    return mapping


def contradiction(name: str, source: Source) -> str | None:
    """Tell what is wrong with a section in itself, as `<key>: <why>`; None if nothing."""
    shape = SHAPES[name]
    columns = source.columns or {}
    wanted = int if source.by_position else str
    if source.delimiter is not None and source.format != "csv":
        return "delimiter: only for csv"
    if source.delimiter in ("", '"', "\n", "\r"):
        return "delimiter: must not be empty, a quote or a line end"
    if source.header is not None and source.format not in ("csv", "whitespace"):
        return "header: only for csv and whitespace"
    if source.columns == {}:
        return "columns: name at least one, or leave the key out"
    for ours, theirs in columns.items():
        if ours not in shape.known:
            return f"columns.{ours}: no such column; ours are {', '.join(shape.known)}"
        if not isinstance(theirs, wanted) or theirs == "" or (wanted is int and int(theirs) < 1):
            return f"columns.{ours}: must be a {_KINDS[wanted]}"
    for ours in source.constants:
        if ours not in shape.constants:
            return f"constants.{ours}: may set {', '.join(shape.constants) or 'nothing'}"
        if ours in columns:
            return f"constants.{ours}: also in columns"
    for ours in shape.required:
        if ours not in {*columns_of(name, source), *source.constants}:
            return f"columns.{ours}: missing; every row of {name} needs it"
    if not _is_timezone(source.timezone):
        return f"timezone: {source.timezone!r} is no time zone, e.g. Europe/Berlin"
    return None


def columns_of(name: str, source: Source) -> dict[str, str]:
    """Our columns that come from the file -> their name, or 1-based position as text."""
    if source.columns is not None:
        return {ours: str(theirs) for ours, theirs in source.columns.items()}
    ours = [column for column in SHAPES[name].model if column not in source.constants]
    if source.by_position:
        return {column: str(place) for place, column in enumerate(ours, start=1)}
    return {column: column for column in ours}


_KINDS: dict[type, str] = {
    int: "position from 1 on, as there is no header",
    str: "column name (a position needs header: false)",
}


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
