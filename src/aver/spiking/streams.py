"""Names of random streams: who draws what depends on nothing else."""

from __future__ import annotations

import hashlib


def stream_key(seed: int, *names: str) -> int:
    """64 bits for a random stream that belongs to these names alone."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
