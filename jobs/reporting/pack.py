"""The chart pack: each chart as PNG, and the CSV of exactly what it shows; a card per model."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from jobs.core.errors import StorageError
from jobs.core.progress import Progress
from jobs.reporting import charts, cohort_charts, frames, model_charts, peer_charts, theme
from jobs.reporting.model_card import model_card

# Charts that a model card shows, and what they show.
PICTURES = (
    ("calibration", "Observed by predicted probability"),
    ("pr_curve", "Precision by recall"),
)
# A spreadsheet takes a cell that begins so for a formula and would run it.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Chart:
    """One chart of the pack: its file name, the tables it needs, its frame and its drawing."""

    name: str
    tables: tuple[str, ...]
    frame: Callable[[frames.Read], pd.DataFrame]
    draw: Callable[[pd.DataFrame, date | None], Figure]


COHORTS, MODELS = ("retention_cohorts",), ("model_registry", "model_metrics")


def name_of(chart: str, kind: str) -> str:
    """File name, without its ending, of a chart of the model of a kind of target."""
    return chart if kind == "purchase" else f"{kind}_{chart}"


def of_model(kind: str) -> tuple[Chart, ...]:
    """Charts of the model that serves a kind of target, purchase or churn."""
    drawn = {
        "pr_curve": (frames.pr_curve, model_charts.pr_curve),
        "calibration": (frames.calibration, model_charts.calibration),
        "model_peers": (frames.peers, peer_charts.model_peers),
        "feature_importance": (frames.importance, peer_charts.feature_importance),
    }
    return tuple(
        Chart(
            name_of(name, kind),
            MODELS,
            partial(frame, kind=kind),
            partial(draw, kind=kind),
        )
        for name, (frame, draw) in drawn.items()
    )


CHARTS = (
    Chart("active_users", ("active_users_daily",), frames.active_users, charts.active_users),
    Chart("retention_heatmap", COHORTS, frames.retention_weekly, cohort_charts.retention_heatmap),
    Chart("retention_curve", COHORTS, frames.retention_curve, cohort_charts.retention_curve),
    Chart("funnel", ("funnel_daily",), frames.funnel, charts.funnel),
    Chart("revenue", ("revenue_daily",), frames.revenue, charts.revenue),
    *of_model("purchase"),
    *of_model("churn"),
)


def write_report(
    folder: Path, read: frames.Read, exists: Callable[[str], bool], progress: Progress
) -> list[Path]:
    """Write charts and model cards; see `write_pack` and `write_cards`."""
    return [
        *write_pack(folder, read, exists, progress),
        *write_cards(folder, read, exists, progress),
    ]


def write_pack(
    folder: Path, read: frames.Read, exists: Callable[[str], bool], progress: Progress
) -> list[Path]:
    """Write <folder>/<chart>.png and .csv for every chart whose tables exist.

    Parameters
    ----------
    folder : Path
        Made if missing.
    read, exists : callable
        From the name of a table to its Spark DataFrame, and to whether it is there.
    progress : Progress
        Gets one step per chart; a chart that is left out says so, and why. Its files of an
        earlier run go, so that the folder never shows what the tables no longer hold.

    Returns
    -------
    list of Path
        The files written, in the order of CHARTS.

    Raises
    ------
    StorageError
        A file cannot be written; those written before are whole.
    """
    as_of = frames.as_of(read)
    written = []
    for chart in CHARTS:
        image, values = folder / f"{chart.name}.png", folder / f"{chart.name}.csv"
        with progress.step(f"chart {chart.name}") as step, storage_errors(folder):
            missing = [name for name in chart.tables if not exists(name)]
            if missing:
                image.unlink(missing_ok=True)
                values.unlink(missing_ok=True)
                step.note = f"left out: there is no table {missing[0]} yet"
                continue
            frame = chart.frame(read)
            step.rows = len(frame)
            written += write_pair(folder, chart.name, chart.draw(frame, as_of), frame)
    return written


def write_pair(folder: Path, name: str, figure: Figure, frame: pd.DataFrame) -> list[Path]:
    """Write a chart as <folder>/<name>.png and what it shows as .csv; makes the folder.

    Raises
    ------
    StorageError
        A file cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return [
            write_whole(folder / f"{name}.png", png_bytes(figure)),
            write_whole(folder / f"{name}.csv", csv_text(frame).encode()),
        ]


def write_cards(
    folder: Path, read: frames.Read, exists: Callable[[str], bool], progress: Progress
) -> list[Path]:
    """Write <folder>/model_card_<target>.md for every target that has a model.

    See `write_pack` for parameters and error.

    Returns
    -------
    list of Path
        The files written; none where no model was trained.
    """
    with progress.step("model cards") as step, storage_errors(folder):
        if not all(map(exists, MODELS)):
            step.note = "left out: no model was trained yet"
            return []
        written, kinds = [], set()
        for row, trained in frames.registrations(read):
            kind = row["target"].partition("_")[0]
            # The charts are of the first target of a kind.
            shown = {} if kind in kinds else {t: f"{name_of(n, kind)}.png" for n, t in PICTURES}
            kinds.add(kind)
            metrics = frames.every_metric(read, row["model_version"])
            card = model_card(row, trained, metrics, shown)
            path = folder / f"model_card_{row['target']}.md"
            folder.mkdir(parents=True, exist_ok=True)
            written.append(write_whole(path, card.encode()))
        for old in set(folder.glob("model_card_*.md")) - set(written):
            old.unlink()
        step.rows = len(written)
        return written


@theme.themed
def png_bytes(figure: Figure) -> bytes:
    """Render the figure; equal figures give equal bytes.

    The text alternative goes into the 'Description' of the image. The version of matplotlib
    stays out of it.
    """
    buffer = io.BytesIO()
    metadata = {"Description": figure.get_label(), "Software": None}
    figure.savefig(buffer, format="png", metadata=metadata)
    return buffer.getvalue()


def csv_text(frame: pd.DataFrame) -> str:
    """Frame as CSV: ISO dates, empty where a value is missing, and no cell that is a formula."""
    safe = frame.copy()
    for name in safe.select_dtypes(include="object"):
        safe[name] = safe[name].map(neutralise)
    return safe.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")


def neutralise(cell: object) -> object:
    """Put an apostrophe before text a spreadsheet would take for a formula; numbers stay."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return "'" + cell
    return cell


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


@contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the system says of disks and rights into one line with the path."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}; nothing half written") from error
