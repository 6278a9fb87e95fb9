"""librosa, the reference of the audio features, imported by one test process at a time.

Its functions are compiled and cached when they are first imported; several processes that do so at
once can damage the cache.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

with (Path(tempfile.gettempdir()) / f"aver-librosa-{os.getuid()}.lock").open("w") as _lock:
    fcntl.flock(_lock, fcntl.LOCK_EX)
    import librosa
    from librosa import core, feature, filters, util  # librosa loads its modules when asked for

__all__ = ["core", "feature", "filters", "librosa", "util"]
