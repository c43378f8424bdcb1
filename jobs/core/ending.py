"""How a command ends: with an exit code and, where it fails, one line."""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from jobs.core.errors import DamagedTableError, GlasshouseError
from jobs.core.spark_errors import first_line

EXIT_BUG = 1
EXIT_INTERRUPTED = 130
# As a shell has it of a command that SIGPIPE ends: its reader wanted no more, as in `| head -1`.
EXIT_UNREAD = 141
EXIT_TERMINATED = 143
DAMAGE = (
    "ChecksumException",
    "FAILED_READ_FILE",
    "DELTA_FILE_NOT_FOUND_DETAILED",
    "DELTA_LOG_FILE_NOT_FOUND",
    "DELTA_TRUNCATED_TRANSACTION_LOG",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
)


class Terminated(BaseException):
    """SIGTERM arrived; a BaseException so that no handler for errors swallows it."""


def leave(name: str, debug: bool, work: Callable[[], int]) -> NoReturn:
    """Do the work of a command and leave the process with its exit code; an error is one line."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = work()
        sys.stdout.flush()
        sys.exit(code)
    except SystemExit:
        raise
    except BaseException as error:
        # Also while it ends, a signal must not become a trace.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        code = exit_code(error)
        if code == EXIT_UNREAD:
            # What is left in the buffer would be written, and fail, once more at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(code)
        if debug:
            traceback.print_exc()
        print(f"{name}: {_complaint(error)}", file=sys.stderr)
        sys.exit(code)


def exit_code(error: BaseException) -> int:
    """Exit code of a command that an error ends."""
    match _cause(error):
        case GlasshouseError() as refusal:
            return refusal.exit_code
        case KeyboardInterrupt():
            return EXIT_INTERRUPTED
        case Terminated():
            return EXIT_TERMINATED
        case BrokenPipeError() if _is_unread():
            return EXIT_UNREAD
        case cause:
            return DamagedTableError.exit_code if _is_damage(cause) else EXIT_BUG


def _cause(error: BaseException) -> BaseException:
    """Find the interruption that an error is the echo of, if it is one.

    A call to the JVM that was cut off leaves its answer unread, or the JVM was ended too: cleaning
    up, while the interruption passes, then fails in its place.
    """
    to_look_at: list[BaseException | None] = [error]
    while to_look_at:
        if isinstance(found := to_look_at.pop(), KeyboardInterrupt | Terminated):
            return found
        if found is not None:
            to_look_at += [found.__cause__, found.__context__]
    return error


def _complaint(error: BaseException) -> str:
    error = _cause(error)
    if isinstance(error, GlasshouseError):
        return str(error)
    if isinstance(error, KeyboardInterrupt | Terminated):
        return "interrupted" if isinstance(error, KeyboardInterrupt) else "terminated"
    detail = first_line(error) if isinstance(error, Exception) else str(error)
    if _is_damage(error):
        return f"a table is damaged: {detail}"
    return f"unexpected {type(error).__name__}: {detail} (--debug shows the trace)"


def _is_damage(error: BaseException) -> bool:
    """What Spark says of files that are there but cannot be what was written."""
    return isinstance(error, Exception) and any(sign in str(error) for sign in DAMAGE)


def _is_unread() -> bool:
    """True where it is stdout whose reader is gone, and not another pipe or socket."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)  # of a closed end it tells unasked
    return bool(poll.poll(0))


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated
