"""The errors a user may see, each with the exit code that schedulers act on."""

from __future__ import annotations


class GlasshouseError(Exception):
    """A refusal in one line that says what to do; `exit_code` is what the process returns."""

    exit_code = 1


class UsageError(GlasshouseError):
    """A bad argument, or an input that cannot be read."""

    exit_code = 2


class ContractError(GlasshouseError):
    """Data breaks its contract, or a quality check failed."""

    exit_code = 3


class LockHeldError(GlasshouseError):
    """Another run holds the warehouse."""

    exit_code = 4


class StorageError(GlasshouseError):
    """The warehouse cannot be read or written."""

    exit_code = 5


class ConflictError(GlasshouseError):
    """Another writer changed the same table first."""

    exit_code = 6


class SetupError(GlasshouseError):
    """Java, the jars or a package are missing or of the wrong version."""

    exit_code = 7


class DamagedTableError(GlasshouseError):
    """A table's log or files are damaged."""

    exit_code = 8
