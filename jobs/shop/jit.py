"""Compiling with a cache that a change of any of the shop's modules makes void.

Numba keeps what it compiled until the function's own file changes. A function of another file that
was compiled into it may change without its notice, and the old rows would be made for ever. So the
cache lies in a folder named by the content of all modules here; those of older contents are of no
further use, and go with `__pycache__`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import config, njit, vectorize

_HERE = Path(__file__).parent


def _contents() -> str:
    digest = hashlib.sha256()
    for path in sorted(_HERE.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_ROOT = Path(config.CACHE_DIR or _HERE / "__pycache__")  # type: ignore[attr-defined]
# Where this cannot be written, numba falls back to the user's own cache folder.
config.CACHE_DIR = str(_ROOT / f"compiled-{_contents()}")  # type: ignore[attr-defined]

compiled = njit(cache=True)
# Sums may be taken in any order, so that loops over cells use the processor's vectors.
compiled_in_vectors = njit(cache=True, fastmath={"reassoc", "contract"})
# For arrays of any shape, as numpy's own functions are.
compiled_elementwise = vectorize(cache=True)
