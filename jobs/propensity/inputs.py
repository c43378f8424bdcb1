"""What training and scoring read alike: the parameters of the log, and snapshots of given dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from jobs.core.building.changes import last_build, new_batches, require_settings_of_build
from jobs.core.building.flow import built_params
from jobs.core.catalog import all_tables, views_read
from jobs.core.queries import Value, render
from jobs.propensity.features import KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

    from jobs.core.entry import Run
    from jobs.propensity.settings import PropensitySettings
    from jobs.propensity.targets import Target

TABLES = ("fact_events", "fact_orders", "dim_users", "user_daily_metrics")


@dataclass(frozen=True)
class Log:
    """What the tables cover.

    Parameters
    ----------
    first_date, last_date
        First and last complete day, both inclusive.
    is_behind
        True where something was loaded since the last build, which the tables do not hold.
    params
        Parameters of the queries in sql/features but for snapshot dates and horizon.
    """

    first_date: date
    last_date: date
    is_behind: bool
    params: dict[str, Value]

    @property
    def note(self) -> str:
        """What a user should know of it, or nothing."""
        return "without what was loaded since the last build" if self.is_behind else ""


def read_log(run: Run, settings: PropensitySettings) -> Log:
    """What the tables of a run cover, and the parameters that follow from it.

    A day that was loaded and not built would look like one on which nobody came.

    Raises
    ------
    UsageError
        The settings are others than those of the last build: a day of the tables would not be a
        day of the snapshots.
    """
    require_settings_of_build(run)
    own: dict[str, Value] = {
        "population": settings.population,
        "population_days": settings.population_days,
    }
    params = built_params(run) | own
    first_date, last_date = params["first_date"], params["as_of"]
    assert isinstance(first_date, date)
    assert isinstance(last_date, date)
    is_behind = last_build(run.warehouse) is not None and bool(new_batches(run.warehouse))
    return Log(first_date, last_date, is_behind, params)


def write_snapshots(run: Run, log: Log, dates: tuple[date, ...], stride_days: int) -> int:
    """Make the snapshots of some dates and put them into user_snapshots; returns the rows.

    Parameters
    ----------
    dates
        Ascending, `stride_days` apart. Exactly these are replaced: dates in between, which
        scoring put there, stay.
    """
    snapshots = snapshots_at(run, log, dates, stride_days)
    # One file per date instead of one per date and shuffle partition.
    by_date = snapshots.repartition("as_of")
    run.warehouse.replace_where("user_snapshots", by_date, _among(dates))
    return read_snapshots(run, dates).count()


def snapshots_at(
    run: Run,
    log: Log,
    dates: tuple[date, ...],
    stride_days: int,
    versions: Mapping[str, int] | None = None,
) -> DataFrame:
    """Make the snapshots of some dates, as they would be stored.

    Parameters
    ----------
    dates
        Ascending, `stride_days` apart.
    versions
        Delta version by table to read; the latest of tables that are not named.
    """
    run.warehouse.register(TABLES, versions)
    grid: dict[str, Value] = {
        "snapshot_from": dates[0],
        "snapshot_to": dates[-1] + timedelta(days=1),
        "snapshot_stride_days": stride_days,
    }
    params = log.params | grid
    for view in views_read(all_tables()["user_snapshots"]):
        run.spark.sql(render(query_of(view.name), params)).createOrReplaceTempView(view.name)
    return run.spark.sql(render(query_of("user_snapshots"), params))


def read_snapshots(run: Run, dates: tuple[date, ...]) -> DataFrame:
    """Rows of user_snapshots of the given dates."""
    return run.warehouse.read("user_snapshots").where(_among(dates))


def labelled_snapshots(run: Run, log: Log, dates: tuple[date, ...], target: Target) -> DataFrame:
    """Join the label of a target to the stored snapshots of the given dates."""
    run.warehouse.register(TABLES)
    return with_labels(run, log, read_snapshots(run, dates), target)


def with_labels(run: Run, log: Log, snapshots: DataFrame, target: Target) -> DataFrame:
    """Join the label of a target to snapshots, by the tables that SQL knows (`register`)."""
    snapshots.createOrReplaceTempView("user_snapshots")
    params = log.params | {"horizon_days": target.horizon_days}
    labels = run.spark.sql(render(query_of(target.label_table), params))
    return snapshots.join(labels, on=list(KEY), how="inner")


def query_of(table: str) -> str:
    """Query of a table that is defined by one."""
    query = all_tables()[table].query
    assert query is not None  # all are defined by their queries
    return query


def _among(dates: tuple[date, ...]) -> str:
    listed = ", ".join(f"DATE'{day}'" for day in dates)
    return f"as_of IN ({listed})"
