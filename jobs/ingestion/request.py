"""What an ingest is asked to do, checked before anything is started or written."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jobs.core.batches import batch_id
from jobs.core.errors import UsageError
from jobs.ingestion.contract import check_columns
from jobs.ingestion.inputs import InputFiles, fingerprint
from jobs.ingestion.mapping import SHAPES, Source, load_mapping
from jobs.ingestion.pseudonyms import key_fingerprint, read_key


@dataclass(frozen=True)
class Input:
    """One of users, events and orders.

    Parameters
    ----------
    layout
        See `contract.check_columns`.
    batch_id
        Hash of the table, the content of the files, the mapping and the key.
    """

    name: str
    source: Source
    files: InputFiles
    layout: tuple[str, ...]
    batch_id: str

    @property
    def table(self) -> str:
        """Bronze table it goes to."""
        return f"bronze_{self.name}"


@dataclass(frozen=True)
class Request:
    """The inputs of a run and the key of its pseudonyms."""

    inputs: tuple[Input, ...]
    key: bytes

    def __repr__(self) -> str:
        # The key must not come up in a trace or a log.
        return f"Request({[part.name for part in self.inputs]})"


def add_ingest_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ingest."""
    for name in SHAPES:
        parser.add_argument(
            f"--{name}", type=Path, metavar="PATH", help=f"file or folder of {name}"
        )
    parser.add_argument(
        "--mapping",
        type=Path,
        metavar="FILE",
        help="YAML that says whose column is whose (default: CSV files with our column names)",
    )


def check_request(args: argparse.Namespace) -> Request:
    """Read the mapping, the key and, once from end to end, every input file.

    Raises
    ------
    UsageError
        No input, no key, or a file that cannot be read.
    ContractError
        A file lacks a mapped column.
    """
    paths = {name: getattr(args, name) for name in SHAPES if getattr(args, name) is not None}
    if not paths:
        raise UsageError("give at least one of --users, --events and --orders")
    key = read_key()
    mapping = load_mapping(args.mapping)
    inputs = []
    for name, path in paths.items():
        source = mapping.source(name)
        files = fingerprint(path, source)
        layout = tuple(check_columns(files, name, source))
        if not any(file.rows > source.has_header for file in files.files):
            raise UsageError(f"{path}: holds no rows")
        section = json.dumps(asdict(source), sort_keys=True)
        identity = batch_id(f"bronze_{name}", files.content_hash, section, key_fingerprint(key))
        inputs.append(Input(name, source, files, layout, identity))
    return Request(tuple(inputs), key)
