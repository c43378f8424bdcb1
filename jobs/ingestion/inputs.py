"""The files of one input: found, refused early where unreadable, and fingerprinted."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.core.errors import UsageError
from jobs.ingestion.mapping import Source

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Spark would decompress these by their suffix, but then line counts could not be checked here.
UNREADABLE_SUFFIXES = (".bz2", ".zst", ".lz4", ".snappy", ".deflate", ".zip", ".xz")


@dataclass(frozen=True)
class InputFile:
    """One file: its name inside the input, sha256 of its bytes, and its lines (Parquet: rows)."""

    path: Path
    name: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class InputFiles:
    """What --users, --events or --orders points to, read once from end to end."""

    label: str
    files: tuple[InputFile, ...]

    @property
    def content_hash(self) -> str:
        """Hash of all content; of a folder, of names and contents."""
        if len(self.files) == 1 and self.files[0].name == self.label:
            return self.files[0].sha256
        parts = json.dumps([[file.name, file.sha256] for file in self.files])
        return hashlib.sha256(parts.encode()).hexdigest()


def find_files(path: Path) -> list[Path]:
    """List the files of an input: the file itself, or all in a folder and below, sorted.

    Names that begin with `.` or `_` are no data by the custom of Hadoop (`_SUCCESS`, `.crc`);
    Spark would skip them without a word, so as an input they are refused here.

    Raises
    ------
    UsageError
        Nothing there, not a regular file, an empty folder, or a name Spark cannot open.
    """
    root = path.expanduser().absolute()
    try:
        if not root.exists():
            raise UsageError(f"{path}: no such file or folder")
        if root.is_dir():
            found = sorted(p for p in root.rglob("*") if p.is_file() and not _hidden(p, root))
            if not found:
                raise UsageError(f"{path}: the folder holds no data file")
        else:
            found = [root]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    for file in found:
        if not file.is_file():
            raise UsageError(f"{file}: not a regular file")
        name = file.name
        if name.startswith((".", "_")) or name.endswith("._COPYING_") or ":" in str(file):
            raise UsageError(f"{file}: rename it; Spark cannot read names with : or a leading . _")
        if not str(file).isprintable():
            raise UsageError(f"{str(file)!r}: rename it; the name has characters Spark cannot take")
    return found


def fingerprint(path: Path, source: Source) -> InputFiles:
    """Read every file of an input from end to end.

    Raises
    ------
    UsageError
        A file is unreadable, empty, damaged or not of the mapped format; the message names it.
    """
    root = path.expanduser().absolute()
    files = []
    for file in find_files(path):
        name = str(file.relative_to(root)) if root.is_dir() else file.name
        with named_errors(file):
            sha256 = _sha256(file)
            rows = _count_lines(file) if source.is_text else _parquet_rows(file)
        files.append(InputFile(file, name, sha256, rows))
    return InputFiles(root.name, tuple(files))


def first_line(path: Path) -> str:
    """First line of a text file, without byte order mark and line end.

    Raises
    ------
    UsageError
        The file is empty, not UTF-8, or not text at all.
    """
    with named_errors(path), open_text(path) as handle:
        raw = handle.readline(MAX_HEADER_BYTES)
    if not raw:
        raise UsageError(f"{path}: the file is empty")
    if raw.startswith(UTF16_MARKS) or b"\0" in raw:
        raise UsageError(f"{path}: not UTF-8 text; save it as UTF-8")
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: line 1 is not UTF-8; save the file as UTF-8") from error


def parquet_schema(path: Path) -> pa.Schema:
    """Arrow schema of a Parquet file.

    Raises
    ------
    UsageError
        The file is truncated or not Parquet.
    """
    with named_errors(path):
        return pq.read_schema(path)


def open_text(path: Path) -> BinaryIO:
    """Open a text file for reading bytes, through gzip where it ends in .gz as Spark does."""
    is_gzip = path.name.endswith(".gz")
    with path.open("rb") as handle:
        magic = handle.read(2)
    if path.name.endswith(UNREADABLE_SUFFIXES):
        raise UsageError(f"{path}: unpack it first; of packed text only .gz is read")
    if (magic == GZIP_MAGIC) != is_gzip and magic:
        raise UsageError(f"{path}: gzip content and the ending .gz must go together")
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip else path.open("rb")


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn what can go wrong with a file into one line with its name."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path}: the gzip file is damaged or cut short") from error
    except pa.ArrowInvalid as error:
        raise UsageError(
            f"{path}: not a whole Parquet file (cut short, or another format)"
        ) from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(root).parts)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _count_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with open_text(path) as handle:
        while chunk := handle.read(CHUNK_BYTES):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _parquet_rows(path: Path) -> int:
    if path.stat().st_size == 0:
        raise UsageError(f"{path}: the file is empty")
    return pq.read_metadata(path).num_rows
