"""What Spark says of disks, conflicts and bad rows, as the project's own errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from jobs.core.errors import ConflictError, ContractError, StorageError


@contextmanager
def storage_errors(path: str) -> Iterator[None]:
    """Turn what Spark says of disks and concurrent commits into one line with the path."""
    try:
        yield
    except (PySparkException, Py4JJavaError) as error:
        text = str(error)
        if "DELTA_CONCURRENT" in text or "ConcurrentModificationException" in text:
            raise ConflictError(f"{path}: another writer changed it first; run again") from error
        refusals = ("CONSTRAINT_VIOLATED", "VIOLATE_CONSTRAINT", "DELTA_REPLACE_WHERE_MISMATCH")
        if any(sign in text for sign in refusals):
            raise ContractError(f"{path}: {first_line(error)}") from error
        for sign in ("No space left on device", "Permission denied", "Read-only file system"):
            if sign in text:
                raise StorageError(f"{path}: {sign}; the table keeps its last version") from error
        if "Mkdirs failed" in text or "Unable to create" in text:
            raise StorageError(f"{path}: cannot be written; check folder and rights") from error
        raise


def first_line(error: Exception) -> str:
    """What an error says, without the JVM's trace that Spark's errors carry in their text."""
    # Not getMessage(): Spark looks the text up among its own error classes and fails on Delta's.
    lines = [line.strip(" :\n") for line in str(error).splitlines() if line.strip(" :\n")]
    if isinstance(error, Py4JJavaError):
        lines = lines[1:]  # the first only names the Java method that was called
    return lines[0] if lines else "no message"
