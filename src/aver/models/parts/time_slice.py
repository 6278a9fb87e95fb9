"""Random slices in time: which frames of a clip a training step sees."""

from __future__ import annotations

import torch
from torch import Tensor


def random_slice(frames: int, least: int, generator: torch.Generator) -> tuple[int, int]:
    """Draw a run of frames of random length and place.

    Parameters
    ----------
    frames : int >= 1
        In the whole clip.
    least : int >= 1
        Frames that make up one second; a shorter clip is taken whole.
    generator : torch.Generator

    Returns
    -------
    tuple of int
        First frame, and the frame behind the last.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 3.3, items 2 and 4: slices last at least one second
    unless the file is shorter.

    Examples
    --------
    >>> random_slice(5, 10, torch.Generator())
    (0, 5)
    """
    if frames <= least:
        return 0, frames
    length = int(torch.randint(least, frames + 1, (), generator=generator))
    start = int(torch.randint(0, frames - length + 1, (), generator=generator))
    return start, start + length


def spread(start: int, stop: int, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Indices of at most `count` frames, one from each equal part of a run.

    Parameters
    ----------
    start, stop : int
        The run, as `random_slice` gives it.
    count : int >= 0
        0 takes every frame.
    generator : torch.Generator, optional
        Draws the frame of each part; without it the middle one is taken.

    Returns
    -------
    Tensor of int64 [shape=(frames taken,)]

    Examples
    --------
    >>> spread(0, 8, 2).tolist(), spread(3, 6, 0).tolist(), spread(0, 2, 5).tolist()
    ([2, 6], [3, 4, 5], [0, 1])
    """
    length = stop - start
    if count == 0 or length <= count:
        return torch.arange(start, stop)
    places = torch.full((count,), 0.5)
    if generator is not None:
        places = torch.rand(count, generator=generator)
    indices = ((torch.arange(count) + places) * (length / count)).floor().long()
    return start + indices.clamp_max(length - 1)
