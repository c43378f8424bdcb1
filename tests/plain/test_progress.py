"""The progress report: plain lines off a terminal, lines above a live bar on one."""

from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace

import pytest

from jobs.core.progress import Progress, StepTiming, running_tasks, step_line, summary
from jobs.core.row_count import RowCount


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def fake_spark(*stages, error=None):
    """Build a session whose status tracker knows these (tasks, completed tasks) stages."""

    def tracker():
        if error is not None:
            raise error
        infos = {
            number: stage and SimpleNamespace(numTasks=stage[0], numCompletedTasks=stage[1])
            for number, stage in enumerate(stages)
        }
        return SimpleNamespace(getActiveStageIds=lambda: list(infos), getStageInfo=infos.get)

    return SimpleNamespace(sparkContext=SimpleNamespace(statusTracker=tracker))


def test_line_aligns_name_rows_and_seconds():
    long = step_line(StepTiming("build fact_events", 12.345, 2_345_678, ""))
    short = step_line(StepTiming("train", 1234.5, None, "already loaded"))

    assert re.fullmatch(r"build fact_events +2,345,678 rows +12\.3 s", long)
    assert re.fullmatch(r"train +1,234\.5 s   already loaded", short)
    assert short.index(" s   already") == long.rindex(" s")


def test_plain_stream_gets_one_line_per_step_and_no_control_characters():
    stream = io.StringIO()

    with Progress(total_steps=2, spark=fake_spark((4, 1)), stream=stream) as progress:
        with progress.step("build sessions") as step:
            assert stream.getvalue() == ""
            step.rows = 1_000
        with progress.step("load users") as step:
            step.note = "already loaded"

    first, second = stream.getvalue().splitlines()
    assert first.startswith("build sessions") and " 1,000 rows " in first
    assert second.startswith("load users") and second.endswith("   already loaded")
    assert "rows" not in second
    assert "\r" not in stream.getvalue() and "\x1b" not in stream.getvalue()


def test_failed_step_says_so_and_the_exception_passes():
    stream = io.StringIO()
    progress = Progress(stream=stream)

    with pytest.raises(ValueError, match="no such day"), progress.step("build") as step:
        step.rows = 7
        raise ValueError("no such day")
    with pytest.raises(KeyboardInterrupt), progress.step("train"):
        raise KeyboardInterrupt

    failed, interrupted = stream.getvalue().splitlines()
    assert failed.endswith(" s   FAILED")
    assert interrupted.endswith(" s   interrupted")


def test_timings_hold_what_was_printed_in_order():
    progress = Progress(stream=io.StringIO())

    with progress.step("outer") as outer:
        with progress.step("inner"):
            pass
        outer.rows = 3

    assert [(name, rows, note) for name, _, rows, note in progress.timings] == [
        ("inner", None, ""),
        ("outer", 3, ""),
    ]
    assert all(0 <= seconds < 1 for _, seconds, _, _ in progress.timings)


def test_terminal_gets_a_bar_and_keeps_the_lines_when_it_closes(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    progress = Progress(total_steps=3, stream=stream)
    with progress.step("build [sessions]") as step:
        step.rows = 5
    progress.close()
    closed = stream.getvalue()
    with progress.step("after the bar"):
        pass

    assert "\x1b[?25l" in closed, "the live bar hides the cursor"
    assert closed.rfind("\x1b[?25h") > closed.rfind("\x1b[?25l"), "and gives it back"
    assert "1/3" in closed
    # Square brackets are markup to the terminal library; a table name must survive them.
    assert re.search(r"build \[sessions\] +5 rows +0\.0 s", closed)
    assert re.search(r"after the bar +0\.0 s\n$", stream.getvalue())


def test_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()

    with Progress(total_steps=1, stream=stream) as progress, progress.step("build"):
        pass

    assert "\x1b" not in stream.getvalue()


def test_running_tasks_sums_stages_and_skips_those_gone():
    assert running_tasks(fake_spark((64, 12), (8, 8), None)) == "tasks 20/72"
    assert running_tasks(fake_spark()) == ""


def test_live_bar_shows_running_tasks_of_an_attached_session(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    with Progress(total_steps=1, stream=stream) as progress:
        progress.attach(fake_spark((64, 12)))
        wait_for(stream, "tasks 12/64")


def test_session_that_fails_the_poll_does_not_stop_later_ones(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    broken = fake_spark(error=RuntimeError("stopped"))
    with Progress(total_steps=1, spark=broken, stream=stream) as progress:
        with progress.step("a step that outlives two polls"):
            time.sleep(0.6)
        progress.attach(fake_spark((9, 3)))
        wait_for(stream, "tasks 3/9")


def test_summary_aligns_values():
    pairs = [("users", "50,000"), ("revenue, last 7 days", "1.2"), ("x", "")]
    text = summary("Pipeline done", pairs)

    assert text.splitlines() == [
        "Pipeline done",
        "-------------",
        "users                 50,000",
        "revenue, last 7 days  1.2",
        "x",
    ]


def wait_for(stream, text):
    """Wait until the stream shows the text; the bar is redrawn four times a second."""
    for _ in range(100):
        if text in stream.getvalue():
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} never appeared in {stream.getvalue()[-300:]!r}")


def test_rows_are_told_with_rate_and_time_left():
    assert RowCount(lambda: 0, 5_000).text(3.0) == "0 of about 5,000 rows"
    half = RowCount(lambda: 2_000_000, 4_000_000).text(10.0)
    assert half == "2,000,000 of about 4,000,000 rows, 0.20 M/s, 10 s left"
    long = RowCount(lambda: 1_000, 9_000_000).text(1.0)
    assert long.endswith("2 h 29 min left")
    # The estimate may fall short; the time left may not become negative.
    assert RowCount(lambda: 30, 20).text(1.0).endswith("30 of about 30 rows, 0.00 M/s, 0 s left")


def test_a_log_hears_of_a_long_step_now_and_then(monkeypatch):
    monkeypatch.setattr("jobs.core.progress.TELL_SECONDS", 0.05)
    stream = io.StringIO()
    progress = Progress(stream=stream)
    with progress.step("generate") as step, progress.counting(step, lambda: 7, 10):
        wait_for(stream, "7 of about 10 rows")
    lines = stream.getvalue().splitlines()
    time.sleep(0.2)
    assert stream.getvalue().splitlines() == lines, "and no more once it is over"
    assert all(line.startswith("generate ") for line in lines)
    assert "\r" not in stream.getvalue() and "\x1b" not in stream.getvalue()


def test_a_terminal_shows_the_rows_of_the_running_step(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    stream = Terminal()
    with (
        Progress(stream=stream) as progress,
        progress.step("generate") as step,
        progress.counting(step, lambda: 1_234, 5_000),
    ):
        wait_for(stream, "1,234 of about 5,000 rows")
