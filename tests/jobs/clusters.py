"""A standalone cluster on the loopback of this machine, and commands with Spark settings."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.jobs.commands import FAST_START, ROOT

SPARK_CLASS = Path(sys.executable).parent / "spark-class"
WAIT_SECONDS = 300


def submit(
    *arguments: str | Path, options: tuple[str, ...] = (), settings: dict[str, str] | None = None
) -> None:
    """Run a command as a plain spark-submit, with Spark settings that differ; it must succeed.

    Parameters
    ----------
    arguments
        The command and its options.
    options
        Of the launcher: --master, --profile.
    settings
        Of Spark.
    """
    words = [str(argument) for argument in arguments]
    dry = subprocess.run(
        [ROOT / "spark-submit.sh", *options, "--dry-run", *words],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    line = shlex.split(dry.stdout)
    job = line.index(str(ROOT / "jobs" / f"{words[0]}.py"))
    extra = [part for pair in (settings or {}).items() for part in ("--conf", "=".join(pair))]
    run = subprocess.run(
        [*line[:job], *extra, *line[job:]],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "JDK_JAVA_OPTIONS": FAST_START},
    )
    assert run.returncode == 0, run.stderr


@contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """A master and two workers of one core each, for as long as the block; gives its address."""
    port = _free_port()
    address = f"spark://127.0.0.1:{port}"
    log = folder / "master.log"
    with ExitStack() as stack:
        master = ["master.Master", "--host", "127.0.0.1", "--port", str(port)]
        stack.enter_context(_daemon([*master, "--webui-port", "0"], log))
        _wait_for(log, "I have been elected leader", 1)
        for number in (1, 2):
            worker = ["worker.Worker", "--host", "127.0.0.1", "--webui-port", "0"]
            size = ["--cores", "1", "--memory", "2g", "--work-dir", str(folder / f"work{number}")]
            stack.enter_context(_daemon([*worker, *size, address], folder / f"worker{number}.log"))
        _wait_for(log, "Registering worker", 2)
        yield address


@contextmanager
def _daemon(words: list[str], log: Path) -> Iterator[None]:
    environment = {
        **os.environ,
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    # With the settings of the project its log would not say when it is there.
    for name in ("SPARK_HOME", "SPARK_CONF_DIR"):
        environment.pop(name, None)
    kind, *options = words
    with log.open("w") as output:
        process = subprocess.Popen(
            [SPARK_CLASS, f"org.apache.spark.deploy.{kind}", *options],
            stdout=output,
            stderr=output,
            env=environment,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(log: Path, text: str, times: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while log.read_text(errors="replace").count(text) < times:
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
