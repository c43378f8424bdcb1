"""The CDNOW data inside the package lifetimes, which is not imported: it wants older libraries."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def datasets() -> Path:
    """Folder of the data sets."""
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None and spec.origin is not None, "install the extra dev"
    return Path(spec.origin).parent / "datasets"
