"""The headline numbers of a warehouse, as one reads them first."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from jobs.core.tables import one_row
from jobs.reporting.frames import Read, whole_shop
from jobs.reporting.model_words import WORDS


def headlines(read: Read) -> list[tuple[str, str]]:
    """Label and value of each headline, from gold and the newest scores.

    Parameters
    ----------
    read
        From the name of a table to its Spark DataFrame.
    """
    return [*_activity(read), *_money(read), *_funnel(read), *_retention(read), *_scores(read)]


def _activity(read: Read) -> list[tuple[str, str]]:
    newest = one_row(whole_shop(read("active_users_daily")).orderBy(F.desc("metric_date")))
    return [
        ("last complete day", str(newest["metric_date"])),
        (
            "DAU / WAU / MAU on it",
            f"{newest['dau']:,} / {newest['wau_7']:,} / {newest['mau_28']:,}",
        ),
        ("stickiness (mean DAU ÷ MAU)", _percent(newest["stickiness"])),
    ]


def _money(read: Read) -> list[tuple[str, str]]:
    days = whole_shop(read("revenue_daily"))
    total = one_row(days.agg(F.sum("orders").alias("orders"), F.sum("revenue").alias("revenue")))
    last = one_row(days.orderBy(F.desc("metric_date")))
    aov = total["revenue"] / total["orders"] if total["orders"] else None
    return [
        ("orders, revenue", f"{total['orders']:,}, {total['revenue']:,.2f}"),
        ("average order value", "none" if aov is None else f"{aov:,.2f}"),
        ("revenue of the last 7 days", f"{last['revenue_7d']:,.2f}"),
    ]


def _funnel(read: Read) -> list[tuple[str, str]]:
    sums = [F.sum(f"mature_{step}").alias(step) for step in ("viewers", "carters", "buyers")]
    total = one_row(whole_shop(read("funnel_daily")).agg(*sums))
    rates = [_ratio(total["carters"], total["viewers"]), _ratio(total["buyers"], total["carters"])]
    return [
        (
            "view → cart → purchase, all days",
            f"{_percent(rates[0])} → {_percent(rates[1])}, "
            f"overall {_percent(_ratio(total['buyers'], total['viewers']))}",
        )
    ]


def _retention(read: Read) -> list[tuple[str, str]]:
    cells = whole_shop(read("retention_cohorts")).where(
        (F.col("period_unit") == "day") & F.col("is_complete") & F.col("period").isin(1, 7, 30)
    )
    sums = cells.groupBy("period").agg(
        F.sum("retained").alias("retained"), F.sum("cohort_size").alias("size")
    )
    found = {row["period"]: _ratio(row["retained"], row["size"]) for row in sums.collect()}
    return [("retention D1 / D7 / D30", " / ".join(_percent(found.get(n)) for n in (1, 7, 30)))]


def _scores(read: Read) -> list[tuple[str, str]]:
    scores = read("propensity_scores_daily")
    newest = scores.groupBy("target").agg(F.max("as_of").alias("as_of"))
    sums = scores.join(newest, on=["target", "as_of"], how="inner").groupBy("target", "as_of")
    rows = sums.agg(
        F.count(F.lit(1)).alias("users"),
        F.count_if("is_selected").alias("selected"),
        F.sum("probability").alias("positives"),
    )
    return [
        (
            f"scores of {row['target']} as of {row['as_of']}",
            f"{row['users']:,} users, {row['positives']:,.0f} expected to "
            f"{WORDS[row['target'].split('_')[0]].do}, {row['selected']:,} selected",
        )
        for row in rows.orderBy(F.desc("target")).collect()
    ]


def _ratio(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None


def _percent(value: float | None) -> str:
    return "not yet" if value is None else f"{100 * value:.1f} %"
