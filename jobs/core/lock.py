"""One writing run at a time on a warehouse.

Delta's log store for local disks does not keep two processes apart, so the kernel does: it frees
an flock also when the holder is killed, hence a stale lock cannot exist.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from jobs.core.errors import LockHeldError, StorageError

LOCK_NAME = ".lock"


@contextmanager
def warehouse_lock(root: Path, job: str) -> Iterator[None]:
    """Hold the warehouse for the length of the block.

    Parameters
    ----------
    root
        Folder of the warehouse; made if missing.
    job
        Name shown to whoever finds the lock held.

    Raises
    ------
    LockHeldError
        Another process holds it; the message names its pid, job and start.
    StorageError
        The folder cannot be made or written.
    """
    made = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = (root / LOCK_NAME).open("a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"warehouse {root} cannot be written: {error.strerror}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockHeldError(f"warehouse {root} is in use by {_holder(handle)}") from error
        if not _is_still(root / LOCK_NAME, handle):
            # Its holder was refused and removed the file while we waited to open it.
            raise LockHeldError(f"warehouse {root} was in use until now; try again")
        handle.truncate(0)
        started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        handle.write(json.dumps({"pid": os.getpid(), "job": job, "started": started}))
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
            if made and [path.name for path in root.iterdir()] == [LOCK_NAME]:
                # The run was refused before it wrote anything: leave no trace of it.
                (root / LOCK_NAME).unlink()
                root.rmdir()


def _is_still(path: Path, handle: TextIO) -> bool:
    return path.exists() and path.stat().st_ino == os.fstat(handle.fileno()).st_ino


def _holder(handle: TextIO) -> str:
    handle.seek(0)
    try:
        holder = json.loads(handle.read())
    except json.JSONDecodeError:
        return "another run that has just begun; try again when it is done"
    return (
        f"{holder['job']} (pid {holder['pid']}, since {holder['started']} UTC); "
        "try again when it is done"
    )
