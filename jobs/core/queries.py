"""Rendering of `${name}` parameters, strictly.

Spark substitutes an undefined `${name}` by an empty string without a word, and anything that is
pasted into SQL is an opening for injection. So a value must be of a type that cannot break out of
its place: a date, an integer, an identifier, a list of integers or identifiers, or a time zone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from jobs.core.errors import UsageError

PARAMETER = re.compile(r"\$\{([a-z_0-9]+)\}")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
TIME_ZONE = re.compile(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*")

Value = date | int | str | tuple[int, ...] | tuple[str, ...]


def render(sql: str, params: Mapping[str, Value]) -> str:
    """Replace every `${name}` in `sql`.

    Parameters
    ----------
    sql
        Text of a query; comments are rendered too, since Spark would do so.
    params
        Values by name. A list of identifiers becomes a quoted list, for `IN (${name})`, a list of
        integers stays bare.

    Raises
    ------
    UsageError
        A parameter of the query is missing, or a value is not of an allowed form.
    """

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in params:
            raise UsageError(f"parameter {name} of the query has no value")
        return _literal(name, params[name])

    return PARAMETER.sub(replace, _without_comments(sql))


def parameters(sql: str) -> list[str]:
    """Names of the parameters a query uses, in order of first use, comments aside."""
    return list(dict.fromkeys(PARAMETER.findall(_without_comments(sql))))


def parse_date(text: str, what: str = "date") -> date:
    """A date in the form 2024-01-31, or a UsageError that says what was given."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass  # the form is right but no such day exists: the same message serves
    raise UsageError(f"{what}: {text!r} is not a day of the calendar in the form YYYY-MM-DD")


def _without_comments(sql: str) -> str:
    # The headers show parameters as examples; they are not part of the statement.
    lines = (line for line in sql.splitlines() if not line.lstrip().startswith("--"))
    return "\n".join(lines)


def _literal(name: str, value: Value) -> str:
    if isinstance(value, bool):
        raise UsageError(f"parameter {name}: a boolean is not allowed")
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, tuple):
        if value and all(type(part) is int for part in value):  # True is an int to Python
            return ", ".join(map(str, value))
        if not value or not all(IDENTIFIER.fullmatch(str(part)) for part in value):
            raise UsageError(f"parameter {name}: {value!r} is no list of integers or identifiers")
        return ", ".join(f"'{part}'" for part in value)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return str(parse_date(value, name))
    if IDENTIFIER.fullmatch(value) or TIME_ZONE.fullmatch(value):
        return value
    raise UsageError(f"parameter {name}: {value!r} is not a date, integer, identifier or time zone")
