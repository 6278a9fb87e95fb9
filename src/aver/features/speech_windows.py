"""`speech_windows`: windows of a few seconds of speech, from stretches of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np


def speech_windows(stretches: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
    """Join stretches and cut the result into windows that overlap by half.

    Parameters
    ----------
    stretches : iterable of np.ndarray [shape=(n, ...)]
        Samples, or frames of descriptors.
    length : int >= 2
        Length of a window. The last one begins where it must to end with the speech, and what is
        shorter than one and a half windows in all is one window: a clip of ordinary length is not
        cut.

    Yields
    ------
    np.ndarray [shape=(m, ...)]
        ``m`` is `length`, or any up to ``1.5 * length`` if it is the only window.

    Examples
    --------
    >>> [window.tolist() for window in speech_windows([np.arange(5), np.arange(5, 8)], 4)]
    [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    >>> [window.tolist() for window in speech_windows([np.arange(5)], 4)]
    [[0, 1, 2, 3, 4]]
    """
    step, shortest = length // 2, length + length // 2
    waiting: list[np.ndarray] = []
    size, cut = 0, False
    for stretch in stretches:
        waiting.append(stretch)
        size += len(stretch)
        if size <= shortest:
            continue
        joined = np.concatenate(waiting)
        while size > shortest:
            yield joined[:length]
            joined, size, cut = joined[step:], size - step, True
        waiting = [joined]
    if size:
        rest = np.concatenate(waiting)
        if not cut:
            yield rest
            return
        yield rest[:length]
        if size > length:
            yield rest[-length:]
