"""Where files that `aver` makes for itself lie."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Folder of caches: ``$AVER_CACHE``, else ``aver`` in the user's cache folder."""
    chosen = os.environ.get("AVER_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "aver"
