"""Times, dates and amounts of foreign logs -> ours; what cannot be read becomes NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.core.errors import UsageError
from jobs.ingestion.mapping import EPOCH_FORMATS, OFFSET_LETTERS, TIME_LETTERS, Source

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

# Spark's own cast is laxer than ISO 8601: it reads '12:00:00' as a time of today.
ISO_MOMENT = (
    r"^\d{4}-\d{2}-\d{2}"
    r"([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$"
)
ISO_OFFSET = r"[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"
ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
EPOCH_SECONDS = r"^-?\d{1,11}(\.\d{1,9})?$"
EPOCH_MILLIS = r"^-?\d{1,14}(\.\d{1,9})?$"
NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$"
# Ten decimals: enough to see that 12.345 is no amount in cents, few enough to forgive the
# 19.989999999999998 that a float makes of 19.99.
WIDE = "DECIMAL(38,10)"
CENTS = "DECIMAL(18,2)"
EPOCH = "DECIMAL(24,9)"
MAX_VALUE = 10**16
LAST_YEAR = 9999


def check_pattern(spark: SparkSession, source: Source, name: str) -> None:
    """Refuse a ts_format that Spark does not know, before any row is read with it.

    Raises
    ------
    UsageError
        The pattern is not one of Spark's.
    """
    if source.ts_format is None or source.ts_format in EPOCH_FORMATS:
        return
    try:
        probe = spark.range(1).select(
            F.try_to_timestamp(F.lit("2024-01-31"), F.lit(source.ts_format)),
            F.date_format(F.lit("2024-01-31").cast("timestamp"), source.ts_format),
        )
        probe.collect()
    except Exception as error:
        if not isinstance(error, PySparkException) and "pattern" not in str(error).lower():
            raise
        raise UsageError(
            f"mapping: {name}.ts_format {source.ts_format!r} is no date pattern of Spark, "
            f"e.g. yyyy-MM-dd HH:mm:ss, nor {' or '.join(EPOCH_FORMATS)}"
        ) from error


def moment(column: Column, kind: T.DataType, source: Source) -> Column:
    """TIMESTAMP of a column of the given stored type; NULL where it cannot be read.

    A local time that the clock skipped is read an hour later, one that came twice as the first.
    """
    if isinstance(kind, T.TimestampType):
        return column
    if isinstance(kind, (T.TimestampNTZType, T.DateType)):
        return _from_local(column.cast("timestamp"), source)
    if source.ts_format in EPOCH_FORMATS:
        return _from_epoch(column, kind, str(source.ts_format))
    if source.ts_format is not None:
        parsed = F.try_to_timestamp(column, F.lit(source.ts_format))
        return parsed if source.has_letters(OFFSET_LETTERS) else _from_local(parsed, source)
    dotted = F.translate(column, ",", ".")
    # Spark's cast takes a time without seconds, or an offset, but not both together.
    with_seconds = F.regexp_replace(dotted, r"^(\S{10}.\d{2}:\d{2})( ?(?:Z|[+-].*))$", "$1:00$2")
    is_iso, is_fixed = column.rlike(ISO_MOMENT), column.rlike(ISO_OFFSET)
    local = _from_local(dotted.try_cast("timestamp"), source)
    return F.when(is_iso & is_fixed, with_seconds.try_cast("timestamp")).when(is_iso, local)


def calendar_date(column: Column, kind: T.DataType, source: Source, tz: str) -> Column:
    """DATE of a column; a bare date stays as it is, a moment is dated in time zone `tz`."""
    if isinstance(kind, T.DateType):
        return column
    has_time = source.has_letters(TIME_LETTERS) or source.ts_format in EPOCH_FORMATS
    dated = local_date(moment(column, kind, source), tz)
    if isinstance(kind, (T.TimestampType, T.TimestampNTZType)):
        return dated
    text = column.cast("string")
    if source.ts_format is None:
        return F.when(text.rlike(ISO_DATE), F.try_to_date(text, "yyyy-MM-dd")).otherwise(dated)
    return dated if has_time else F.try_to_date(text, source.ts_format)


def local_date(column: Column, tz: str) -> Column:
    """DATE of a TIMESTAMP in a time zone."""
    return (column if tz == "UTC" else F.from_utc_timestamp(column, tz)).cast("date")


def number(column: Column) -> Column:
    """DECIMAL(38,10) of a number as text or stored; NULL for all else, NaN and infinity too."""
    text = column.cast("string")
    return F.when(text.rlike(NUMBER), text.try_cast(WIDE))


def in_years(column: Column) -> Column:
    """Keep a DATE or TIMESTAMP of the years 1 to 9999; neither Python nor SQL knows others."""
    return F.when(F.year(column).between(1, LAST_YEAR), column)


def _from_local(column: Column, source: Source) -> Column:
    return column if source.timezone == "UTC" else F.to_utc_timestamp(column, source.timezone)


def _from_epoch(column: Column, kind: T.DataType, unit: str) -> Column:
    pattern, micros = (EPOCH_SECONDS, 10**6) if unit == "epoch_seconds" else (EPOCH_MILLIS, 10**3)
    # A double prints as 1.7044488E9.
    is_double = isinstance(kind, (T.FloatType, T.DoubleType))
    text = (column.try_cast(EPOCH) if is_double else column).cast("string")
    scaled = F.floor(text.try_cast(EPOCH) * F.lit(micros)).cast("bigint")
    return F.when(text.rlike(pattern), F.timestamp_micros(scaled))
