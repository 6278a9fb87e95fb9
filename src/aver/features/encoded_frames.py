"""Vectors per frame of pretrained networks, as the arrays that recognizers read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from aver.errors import FeatureError

Pooling = Literal["frames", "mean"]
_FLOAT16_MAX = float(np.finfo(np.float16).max)


def frame_arrays(frames: np.ndarray, pooling: Pooling, network: str) -> Mapping[str, np.ndarray]:
    """Arrays of a record.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, size), dtype=float32]
        At least one frame.
    pooling : {"frames", "mean"}
        ``"frames"`` gives ``embeddings`` float16 (frames, size), for networks over frames;
        ``"mean"`` gives ``statistics`` float32 (size,), for classical classifiers.
    network : str
        For messages.

    Raises
    ------
    FeatureError
        If a value is not finite.

    Examples
    --------
    >>> frame_arrays(np.array([[1, 2], [3, 4]], np.float32), "mean", "network")["statistics"]
    array([2., 3.], dtype=float32)
    """
    if not np.isfinite(frames).all():
        raise FeatureError(f"{network} gives values that are not finite for this clip.")
    if pooling == "mean":
        return {"statistics": frames.mean(axis=0, dtype=np.float64).astype(np.float32)}
    return {"embeddings": np.clip(frames, -_FLOAT16_MAX, _FLOAT16_MAX).astype(np.float16)}
