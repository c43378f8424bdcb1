"""The second engine: Sail, which serves Spark Connect from one process without a JVM.

It runs the same SQL and writes the same tables, several times sooner on a laptop. It has no MLlib
and no cluster of ours, so Spark stays the default and the reference.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from jobs.core.errors import SetupError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Threads of the server end with the object, so it lives as long as the process.
_SERVERS: list[Any] = []


@functools.cache
def plain_folder(folder: str) -> str:
    """Another name of a folder where its own has characters that Sail cannot read a table under.

    Blanks, accents, # and % come out of its addresses otherwise than they go in. The other name is
    a link that goes with the process.
    """
    if re.fullmatch(r"[A-Za-z0-9/_.+-]*", folder):
        return folder
    place = tempfile.TemporaryDirectory(prefix="glasshouse-sail-")
    atexit.register(place.cleanup)
    link = Path(place.name) / "warehouse"
    link.symlink_to(folder)
    return str(link)


def serve(quiet: bool = True) -> str:
    """Start a server on a free port of this machine only; returns its address.

    Raises
    ------
    SetupError
        The package is not installed.
    """
    # Read once, when the package is loaded: it would log every step of its work.
    os.environ.setdefault("RUST_LOG", "off" if quiet else "warn")
    try:
        from pysail.spark import SparkConnectServer
    except ImportError as error:
        raise SetupError(
            "the engine sail is not installed: start through ./spark-submit.sh, or "
            "`pip install -c conf/constraints.txt '.[sail]'`"
        ) from error
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _SERVERS.append(server)
    host, port = server.listening_address
    return f"sc://{host}:{port}"


def start_sail(quiet: bool = True) -> SparkSession:
    """Start the server and a session of this process on it.

    Raises
    ------
    SetupError
        The package is not installed.
    """
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(serve(quiet)).getOrCreate()
    pin_settings(spark)
    return spark


def connect_beside_spark() -> SparkSession:
    """A session on Sail in a process that has one on Spark too.

    Functions of pyspark.sql.functions make columns for Spark alone there: on this session say it in
    SQL.

    Raises
    ------
    SetupError
        The package is not installed.
    """
    address = serve()
    from pyspark.sql.connect.session import SparkSession as ConnectSession

    # Asked for through pyspark.sql, it would make the whole process a Connect client.
    spark = cast("SparkSession", ConnectSession.builder.remote(address).create())
    pin_settings(spark)
    return spark


def pin_settings(spark: SparkSession) -> None:
    """Set what conf/spark-*.conf sets for Spark, where a result depends on it."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "true")


def batches_of(frame: Any, engine: str) -> Iterator[pa.RecordBatch]:
    """Rows of a frame in pieces as they come from a Connect server; of Spark's own, all at once."""
    if engine == "spark":
        yield from frame.toArrow().to_batches()
        return
    # toArrow would hold the whole result; there is no public call that hands it over in pieces.
    client = frame.sparkSession.client
    for part in client.to_table_as_iterator(frame._plan.to_proto(client), {}):
        if isinstance(part, pa.Table):
            yield from part.to_batches()
