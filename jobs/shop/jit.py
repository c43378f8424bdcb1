"""Compiling, with a cache that belongs to the content of the shop's modules.

Numba keeps what it compiled by the place and the time of the function's own file. A function of
another file that was compiled into it may change without its notice, and the old rows would be made
for ever; and the workers of a cluster get the package as an archive, in another place with every
run. So the cache lies in a folder named by the content of all modules here, in the first of these
places that can be written: NUMBA_CACHE_DIR, beside the modules, the user's cache. Where none can,
each process compiles for itself. Folders of older contents are of no further use.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from numba import config, njit
from numba.core.caching import _CacheLocator

_PACKAGE = __name__.rpartition(".")[0]


def _modules(folder: Traversable) -> Iterator[Traversable]:
    # Not by glob: inside an archive there is none.
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield entry


def _content() -> str:
    digest = hashlib.sha256()
    for module in _modules(files(_PACKAGE)):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:12]


def _cache_folder(content: str) -> Path | None:
    chosen, user = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME", "~/.cache")
    places = [Path(chosen)] if chosen else []
    for place in [*places, Path(__file__).parent / "__pycache__", Path(user) / "glasshouse"]:
        try:
            folder = place.expanduser() / f"compiled-{content}"
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):
            continue  # an archive, a folder of somebody else, no home: the next place may do
        if os.access(folder, os.W_OK):
            return folder
    return None


_CONTENT = _content()
_FOLDER = _cache_folder(_CONTENT)


def is_compiled() -> bool:
    """True once the loops that make events are kept as compiled, as they are after a first run."""
    return _FOLDER is not None and any(_FOLDER.glob("walk.*.nbi"))


class ContentLocator(_CacheLocator):
    """Numba's way to learn where a function's code is kept, and whether it is still good."""

    def __init__(self, module: str, line: int) -> None:
        self._place = f"{module}-{line}"

    def get_cache_path(self) -> str:
        """Return the folder of the cache."""
        return str(_FOLDER)

    def get_source_stamp(self) -> str:
        """Return what must be equal for the code to be good."""
        return _CONTENT

    def get_disambiguator(self) -> str:
        """Tell functions of one name apart."""
        return self._place

    @classmethod
    def from_function(cls, py_func: object, py_file: str) -> ContentLocator | None:
        """Make a locator for a function of the shop; None for any other."""
        module = py_func.__module__
        if _FOLDER is None or not module.startswith(f"{_PACKAGE}."):
            return None
        return cls(module, py_func.__code__.co_firstlineno)  # type: ignore[attr-defined]


# Numba's own ways stay, for the code of others.
config.CACHE_LOCATOR_CLASSES = (  # type: ignore[attr-defined]
    f"{__name__}.ContentLocator,UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator,"
    "IPythonCacheLocator,ZipCacheLocator"
)
_KEPT = _FOLDER is not None

compiled = njit(cache=_KEPT)
# Sums may be taken in any order, so that loops over cells use the processor's vectors.
compiled_in_vectors = njit(cache=_KEPT, fastmath={"reassoc", "contract"})
