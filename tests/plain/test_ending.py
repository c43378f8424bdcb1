"""How a command ends: exit code and line, also where its reader or its JVM is gone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.core.ending import exit_code
from jobs.core.errors import StorageError

ROOT = Path(__file__).resolve().parents[2]
HEAD = "import os, signal, time\nfrom jobs.core.ending import leave\ndef work():\n"
LEAVE = "    return 0\nleave('job', False, work)\n"


def script(*lines: str) -> str:
    """A command that does these lines."""
    return HEAD + "".join(f"    {line}\n" for line in lines) + LEAVE


def ended(*lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script(*lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("rows", [1, 200_000])
def test_a_command_whose_reader_is_gone_ends_without_a_word(rows: int) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", script(f"for row in range({rows}): print(row)")],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_another_pipe_that_breaks_is_told() -> None:
    done = ended("raise BrokenPipeError('the worker is gone')")
    assert done.returncode == 1
    assert done.stderr == (
        "job: unexpected BrokenPipeError: the worker is gone (--debug shows the trace)\n"
    )


@pytest.mark.parametrize(
    ("sign", "code", "word"), [("SIGTERM", 143, "terminated"), ("SIGINT", 130, "interrupted")]
)
def test_a_signal_counts_where_cleaning_up_fails_after_it(sign: str, code: int, word: str) -> None:
    done = ended(
        "try:",
        f"    os.kill(os.getpid(), signal.{sign})",
        "    time.sleep(30)",
        "finally:",
        "    try:",
        "        raise OSError('the JVM is gone')",
        "    except OSError as error:",
        "        raise RuntimeError('an error occurred while calling') from error",
    )
    assert (done.returncode, done.stderr) == (code, f"job: {word}\n")


def test_a_signal_that_comes_while_the_command_ends_is_no_trace() -> None:
    done = ended(
        "class Loud(Exception):",
        "    def __str__(self):",
        "        os.kill(os.getpid(), signal.SIGTERM)",
        "        return 'loud'",
        "raise Loud",
    )
    assert done.returncode == 1
    assert done.stderr == "job: unexpected Loud: loud (--debug shows the trace)\n"


def test_a_refusal_keeps_its_code_whatever_it_came_of() -> None:
    refusal = StorageError("no room")
    refusal.__cause__ = OSError("disk")
    assert exit_code(refusal) == StorageError.exit_code
