"""What is read from YAML, held against a validated dataclass; a refusal is one line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypeVar

import pydantic

from jobs.core.errors import UsageError

Settings = TypeVar("Settings")


def checked(kind: type[Settings], raw: object, section: str, source: Path) -> Settings:
    """Validate one section of the settings.

    Parameters
    ----------
    kind
        Validated dataclass of the section.
    raw
        The section as read from YAML.
    section
        Path of keys that leads to it, such as ``scales.tiny``.
    source
        File to name in a complaint.

    Raises
    ------
    UsageError
        One line: the file, the path of the first key that is missing, unknown or out of range, and
        what is wrong with it.
    """
    try:
        return pydantic.TypeAdapter(kind).validate_python(raw)
    except pydantic.ValidationError as error:
        raise UsageError(f"{source}: {first_problem(error, section)}") from error


def first_problem(error: pydantic.ValidationError, section: str = "") -> str:
    """One line for the first thing pydantic objects to: where, what, and the value given."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in (section, *problem["loc"]) if part != "")
    told = problem["msg"].removeprefix("Value error, ")
    if where:  # else it is about several settings together, which the message names
        told = f"{where}: {told}"
    # What was given is a whole section where a key is missing, unknown or at odds with another.
    given = problem["input"]
    if problem["type"] in ("missing", "unexpected_keyword_argument") or not _is_plain(given):
        return told
    return f"{told} (given: {given!r})"


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | date | list)
