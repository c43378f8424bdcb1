"""Progress of a job on stderr: one line per finished step, on a terminal also a live bar.

A file, a pipe or a scheduler's log gets the plain lines and nothing else: no colours, no
carriage returns, no cursor movements.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from jobs.core.row_count import RowCount

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAME_WIDTH = 28
POLL_SECONDS = 0.25
# Between two lines about a long step in a log.
TELL_SECONDS = 10.0


class StepTiming(NamedTuple):
    """One finished step: its name, wall-clock seconds, rows (None if not counted) and note."""

    name: str
    seconds: float
    rows: int | None
    note: str


@dataclass
class Step:
    """The step under way; the job sets `rows` and `note` before it leaves the block."""

    name: str
    started: float
    rows: int | None = None
    note: str = ""
    count: RowCount | None = None


def step_line(timing: StepTiming) -> str:
    """Format one finished step, e.g. ``build fact_events   2,345,678 rows   12.3 s``."""
    rows = "" if timing.rows is None else f"{timing.rows:,} rows"
    note = f"   {timing.note}" if timing.note else ""
    return f"{timing.name:<{NAME_WIDTH}} {rows:>18} {timing.seconds:>8,.1f} s{note}"


def summary(title: str, pairs: list[tuple[str, str]]) -> str:
    """Format headline numbers and paths for stdout, labels and values aligned.

    The title is underlined; the pairs of (label, value) follow, one line each, in this order.
    """
    width = max((len(label) for label, _ in pairs), default=0)
    lines = [title, "-" * len(title)]
    lines += [f"{label:<{width}}  {value}".rstrip() for label, value in pairs]
    return "\n".join(lines)


class Progress:
    """Report the steps of one job run.

    Parameters
    ----------
    total_steps : int or None
        Steps known in advance, for the bar; the attribute may be raised while the job runs.
    spark : SparkSession, optional
        Session whose running stages the live bar shows; may be given later with `attach`.
    stream : text stream
        Where everything goes, by default stderr. The live bar appears only on a terminal.
    """

    def __init__(
        self, total_steps: int | None = None, spark: Any = None, stream: TextIO | None = None
    ) -> None:
        self.total_steps = total_steps
        self._stream = sys.stderr if stream is None else stream
        self._timings: list[StepTiming] = []
        self._open_steps: list[Step] = []
        self._stage_text = ""
        self._spinner = Spinner("dots")
        self._spark = spark
        self._closed = threading.Event()
        self._live: Live | None = None
        if self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._live = self._start_live()

    @property
    def timings(self) -> list[StepTiming]:
        """Finished steps in the order they ended, failed ones included (note 'FAILED')."""
        return list(self._timings)

    def attach(self, spark: SparkSession) -> None:
        """Show the running stages of this session from now on."""
        self._spark = spark

    def tell(self, text: str) -> None:
        """Print a line about what the steps alone would not explain."""
        self._write(text)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time the block as one step and print its line when it ends.

        An exception passes on unchanged after the line has said FAILED (or 'interrupted').
        """
        step = Step(name, time.monotonic())
        self._open_steps.append(step)
        try:
            yield step
        except Exception:
            step.note = "FAILED"
            raise
        except BaseException:
            step.note = "interrupted"
            raise
        finally:
            self._open_steps.remove(step)
            seconds = time.monotonic() - step.started
            timing = StepTiming(step.name, seconds, step.rows, step.note)
            self._timings.append(timing)
            self._write(step_line(timing))

    @contextmanager
    def counting(self, step: Step, read: Callable[[], int], expected: int) -> Iterator[None]:
        """Show rows so far, rows per second and time left while the block runs.

        On a terminal in the live bar, elsewhere as a line every ten seconds; see `RowCount`.
        """
        step.count = RowCount(read, expected)
        done = threading.Event()
        teller = threading.Thread(target=self._tell, args=(step, step.count, done), daemon=True)
        if self._live is None:
            teller.start()
        try:
            yield
        finally:
            done.set()
            step.count = None
            if teller.is_alive():
                teller.join()

    def close(self) -> None:
        """Take the live bar away and restore the cursor; the printed lines stay."""
        self._closed.set()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __enter__(self) -> Progress:
        """Return the progress itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close it; an exception passes."""
        self.close()

    def _write(self, line: str) -> None:
        if self._live is not None:
            # Through the live display's console, so that the line lands above the bar.
            self._live.console.print(Text(line))
            return
        self._stream.write(line + "\n")
        self._stream.flush()

    def _tell(self, step: Step, count: RowCount, done: threading.Event) -> None:
        while not done.wait(TELL_SECONDS):
            self._write(f"{step.name:<{NAME_WIDTH}} {count.text()}")

    def _start_live(self) -> Live:
        live = Live(
            # Soft wrapping leaves a long path in one piece for copying.
            console=Console(file=self._stream, soft_wrap=True),
            get_renderable=self._render,
            refresh_per_second=1 / POLL_SECONDS,
            transient=True,
            # Text printed meanwhile must not cut through the bar, but piped output stays piped.
            redirect_stderr=self._stream is sys.stderr,
            redirect_stdout=sys.stdout.isatty(),
        )
        live.start()
        threading.Thread(target=self._poll_stages, name="progress", daemon=True).start()
        return live

    def _render(self) -> Table:
        """Draw the bar's one line: spinner, steps done, current step, seconds, Spark tasks."""
        done = len(self._timings)
        cells: list[Any] = [self._spinner]
        if self.total_steps is not None:
            total = max(self.total_steps, done)
            cells += [ProgressBar(total=total, completed=done, width=20), f"{done}/{total}"]
        for step in list(self._open_steps)[-1:]:
            cells += [Text(step.name, overflow="ellipsis", no_wrap=True)]
            cells += [f"{time.monotonic() - step.started:,.0f} s"]
            if count := step.count:
                rows = min(count.read(), count.expected)
                cells += [ProgressBar(total=count.expected, completed=rows, width=20)]
                cells += [Text(count.text(), no_wrap=True)]
        line = Table.grid(padding=(0, 1))
        line.add_row(*cells, Text(self._stage_text, style="dim", no_wrap=True))
        return line

    def _poll_stages(self) -> None:
        while not self._closed.wait(POLL_SECONDS):
            spark = self._spark
            if spark is None:
                continue
            try:
                self._stage_text = running_tasks(spark)
            except Exception:
                # A session that is stopping, or one without a context (Spark Connect), has no
                # stages to show; what the bar cannot show must never break the job.
                self._stage_text = ""
                if self._spark is spark:
                    self._spark = None


def running_tasks(spark: SparkSession) -> str:
    """Tell how far the running Spark stages are, e.g. ``tasks 12/64``; '' when none runs."""
    tracker = spark.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    infos = [info for info in stages if info is not None]
    done = sum(info.numCompletedTasks for info in infos)
    total = sum(info.numTasks for info in infos)
    return f"tasks {done}/{total}" if infos else ""
