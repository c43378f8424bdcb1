"""What a run did: <warehouse>/runs/<run_id>.json, written in one piece at its end."""

from __future__ import annotations

import json
import os
import platform
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyspark


def new_run_id(job: str) -> str:
    """An id that sorts by time, e.g. 20240131T060000Z-build-1f2e3d."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{job}-{secrets.token_hex(3)}"


@dataclass
class Manifest:
    """Facts of one run, filled while it goes on."""

    run_id: str
    job: str
    arguments: list[str]
    started_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    facts: dict[str, Any] = field(default_factory=dict)

    def write(self, root: Path, exit_code: int, steps: list[Any]) -> Path:
        """Write the file so that it is either whole or absent, also after a power cut.

        Parameters
        ----------
        root
            Folder of the warehouse.
        exit_code
            What the process is about to return.
        steps
            The finished steps of the run: name, seconds, rows and note each.
        """
        folder = root / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "run_id": self.run_id,
            "job": self.job,
            "arguments": self.arguments,
            "started_at": self.started_at,
            "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "exit_code": exit_code,
            "versions": {"python": platform.python_version(), "pyspark": pyspark.__version__},
            "steps": [
                {"name": s.name, "seconds": round(s.seconds, 3), "rows": s.rows, "note": s.note}
                for s in steps
            ],
            **self.facts,
        }
        target = folder / f"{self.run_id}.json"
        temporary = target.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as handle:
            json.dump(content, handle, indent=1, default=str)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.rename(target)
        return target
