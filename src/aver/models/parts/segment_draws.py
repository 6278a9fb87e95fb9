"""Which picture, and which window of sound, stands for each segment of a clip."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_edges(frames: int, segments: int) -> Tensor:
    """First frame of each of several equal segments, and the frame behind the last.

    Where the frames cannot be shared evenly, segments differ by one frame at most.

    Parameters
    ----------
    frames : int
    segments : int in [1, frames]

    Returns
    -------
    Tensor of int64 [shape=(segments + 1,)]

    Examples
    --------
    >>> segment_edges(10, 4).tolist()
    [0, 2, 5, 7, 10]
    """
    return torch.arange(segments + 1) * frames // segments


def draw_frames(edges: Tensor, places: Tensor) -> Tensor:
    """One frame j in each segment.

    Source: Birhala et al. 2020, section II: "For each temporal segment, we randomly select a video
    frame j".

    Parameters
    ----------
    edges : Tensor of int64 [shape=(segments + 1,)]
        As `segment_edges` gives them.
    places : Tensor [shape=(segments,), range=0..1, 1 excluded]
        Where in its segment each frame lies: drawn evenly, or 1/2 for the middle.

    Examples
    --------
    >>> draw_frames(torch.tensor([0, 2, 5]), torch.tensor([0.9, 0.5])).tolist()
    [1, 3]
    """
    sizes = edges[1:] - edges[:-1]
    return edges[:-1] + torch.minimum((places * sizes).long(), sizes - 1)


def nearest_found(frames: Tensor, edges: Tensor, found: Tensor) -> Tensor:
    """Let a frame without a face give way to the nearest one with a face in the same segment.

    Parameters
    ----------
    frames : Tensor of int64 [shape=(segments,)]
    edges : Tensor of int64 [shape=(segments + 1,)]
    found : Tensor of bool [shape=(frames of the clip,)]

    Returns
    -------
    Tensor of int64 [shape=(segments,)]
        -1 where no frame of the segment shows a face; of two equally near ones the earlier.

    Examples
    --------
    >>> found = torch.tensor([False, True, False, False, False])
    >>> nearest_found(torch.tensor([0, 4]), torch.tensor([0, 2, 5]), found).tolist()
    [1, -1]
    """
    if bool(found[frames].all()):
        return frames
    chosen = frames.clone()
    for segment, frame in enumerate(frames.tolist()):
        first, behind = int(edges[segment]), int(edges[segment + 1])
        with_face = first + torch.nonzero(found[first:behind]).flatten()
        if len(with_face) == 0:
            chosen[segment] = -1
        else:
            chosen[segment] = with_face[(with_face - frame).abs().argmin()]
    return chosen


def window_starts(
    moments_s: Tensor,
    places: Tensor,
    *,
    asynchrony_s: float,
    window_s: float,
    duration_s: float,
    offset_s: float = 0.0,
) -> Tensor:
    """Where the window of sound of each segment starts.

    The centre c lies in ``[j/r_v - b, j/r_v + b]`` and is clamped so that the window stays inside
    the clip; in a clip shorter than the window it starts at 0.

    Source: Birhala et al. 2020, section II. The clamping is ours.

    Parameters
    ----------
    moments_s : Tensor [shape=(segments,)]
        Of the pictures, ``j / r_v``.
    places : Tensor [shape=(segments,), range=0..1]
        Where between the two bounds each centre lies: drawn evenly, or 1/2 for the moment itself.
    asynchrony_s : float >= 0
        The paper's b.
    window_s : float > 0
        The paper's d.
    duration_s : float > 0
        Of the clip's sound.
    offset_s : float
        Added to every centre: how much later than the pictures the sound is taken.

    Examples
    --------
    >>> moments_s, middle = torch.tensor([0.0, 1.0, 2.9]), torch.full((3,), 0.5)
    >>> window_starts(moments_s, middle, asynchrony_s=0.01, window_s=1.0, duration_s=3.0).tolist()
    [0.0, 0.5, 2.0]
    """
    centres = moments_s.double() + offset_s + (2 * places.double() - 1) * asynchrony_s
    return (centres - window_s / 2).clamp(0.0, max(0.0, duration_s - window_s))
