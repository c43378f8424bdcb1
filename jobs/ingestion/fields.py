"""One line -> its fields, or why it cannot be taken apart."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs.ingestion.mapping import Source

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# A tab may divide fields; any other control character is damage, or half of a packed file.
CONTROL_CHARACTERS = r"[\x00-\x08\x0a-\x1f\x7f]"


def split_header(line: str, source: Source) -> list[str]:
    """Fields of the first line of a csv or whitespace file."""
    if source.format == "whitespace":
        return line.split()
    delimiter = source.delimiter or ","
    if len(delimiter) > 1:
        return [field.strip() for field in line.split(delimiter)]
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]


def take_apart(lines: DataFrame, source: Source, layout: list[str]) -> DataFrame:
    """Add `fields` (array of text in the order of `layout`) and `fault` to a frame with `line`.

    Parameters
    ----------
    layout
        csv and whitespace: a name per field of a line. jsonl: the keys wanted.

    Returns
    -------
    DataFrame
        Either `fault` is NULL, or it says what is wrong and `fields` must not be used.
    """
    damage = F.when(~F.is_valid_utf8("line"), F.lit("not UTF-8")).when(
        F.col("line").rlike(CONTROL_CHARACTERS), F.lit("holds a control character")
    )
    line = F.when(F.col("damage").isNull(), F.col("line"))
    splitters = {"csv": _split_csv, "jsonl": _split_json, "whitespace": _split_blanks}
    split, complaint = splitters[source.format](
        lines.withColumn("damage", damage), line, source, layout
    )
    fault = F.when(F.col("fields").isNull(), F.lit(complaint))
    return split.withColumn("fault", F.coalesce("damage", fault)).drop("damage")


def _split_csv(
    lines: DataFrame, line: Column, source: Source, layout: list[str]
) -> tuple[DataFrame, str]:
    """Divide by RFC 4180, but a row is one line: a quote left open is a fault."""
    names = [f"_{place}" for place in range(len(layout))]
    options = {
        "sep": source.delimiter or ",",
        "quote": '"',
        "escape": '"',
        "mode": "PERMISSIVE",
        "columnNameOfCorruptRecord": "corrupt",
    }
    schema = ", ".join([*(f"{name} STRING" for name in names), "corrupt STRING"])
    parsed = lines.withColumn("parsed", F.from_csv(line, schema, options))
    quotes = F.length("line") - F.length(F.replace("line", F.lit('"'), F.lit("")))
    is_whole = F.col("parsed").isNotNull() & F.col("parsed.corrupt").isNull() & (quotes % 2 == 0)
    fields = F.array(*[F.col(f"parsed.{name}") for name in names])
    split = parsed.withColumn("fields", F.when(is_whole, fields)).drop("parsed")
    return split, f"not {len(layout)} fields, or a quote left open"


def _split_json(
    lines: DataFrame, line: Column, source: Source, layout: list[str]
) -> tuple[DataFrame, str]:
    """Read one object per line, as VARIANT: from_json reads 10000000000000000.01 as a double.

    The line is read as the only element of an array: on its own, `{..}{..}` or `{..} junk` would
    pass for its first object, and the rest would be dropped without a word.
    """
    wrapped = F.concat(F.lit("["), line, F.lit("]"))
    parsed = lines.withColumn("parsed", F.try_parse_json(wrapped))
    is_object = F.col("parsed").isNotNull() & line.rlike(r"^\s*\{")
    is_alone = F.try_variant_get("parsed", "$[1]", "variant").isNull()
    fields = F.array(
        *[F.try_variant_get("parsed", f"$[0]{_json_key(key)}", "string") for key in layout]
    )
    split = parsed.withColumn("fields", F.when(is_object & is_alone, fields)).drop("parsed")
    return split, "not one JSON object"


def _json_key(key: str) -> str:
    return f"['{key}']" if '"' in key else f'["{key}"]'


def _split_blanks(
    lines: DataFrame, line: Column, source: Source, layout: list[str]
) -> tuple[DataFrame, str]:
    parts = lines.withColumn("parts", F.split(F.btrim(line, F.lit(" \t")), r"\s+"))
    is_whole = F.size("parts") == len(layout)
    split = parts.withColumn("fields", F.when(is_whole, F.col("parts"))).drop("parts")
    return split, f"not {len(layout)} fields"
