"""An image pyramid laid out on one canvas, so that one pass of a network sees all its levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Level:
    """Where one shrunken copy of the picture lies on the canvas, in pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Pyramid:
    """Levels of pictures of one size and the canvas that holds them.

    Levels have even sizes and even places, so that a network with stride 2 sees the same windows
    as on each level alone; windows that straddle two levels are for the reader to leave out.
    """

    levels: tuple[Level, ...]
    height: int
    width: int

    def paint(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Shrink pictures onto canvases.

        Parameters
        ----------
        frames : sequence of n np.ndarray [shape=(height, width, 3), dtype=uint8]

        Returns
        -------
        np.ndarray [shape=(n, canvas height, canvas width, 3), dtype=uint8]
        """
        import cv2

        canvases = np.zeros((len(frames), self.height, self.width, 3), np.uint8)
        for canvas, frame in zip(canvases, frames, strict=True):
            source = frame
            for level in self.levels:
                # each level is shrunk from the one before: shrinking by areas composes
                source = cv2.resize(
                    source, (level.width, level.height), interpolation=cv2.INTER_AREA
                )
                rows = slice(level.top, level.top + level.height)
                canvas[rows, level.left : level.left + level.width] = source
        return canvases


def plan_pyramid(
    height_px: int, width_px: int, *, smallest_px: float, window_px: int = 12, factor: float = 0.709
) -> Pyramid:
    """Choose the levels for pictures of one size and place them on shelves.

    Parameters
    ----------
    height_px, width_px : int
        Size of the pictures.
    smallest_px : float > 0
        Face size that fills the network's window on the largest level.
    window_px : int
        The network's window.
    factor : float in 0..1
        From one level to the next.

    Returns
    -------
    Pyramid
        Without levels where the picture is smaller than the smallest face.

    Examples
    --------
    >>> [(level.height, level.width) for level in plan_pyramid(60, 80, smallest_px=20).levels]
    [(36, 48), (26, 34), (18, 24), (12, 18)]
    """
    sizes = []
    scale = window_px / smallest_px
    while min(height_px, width_px) * scale >= window_px:
        sizes.append((_even(height_px * scale), _even(width_px * scale)))
        scale *= factor
    canvas_width = max((width for _, width in sizes), default=0)
    levels: list[Level] = []
    shelves: list[list[int]] = []  # top, height, used width
    for height, width in sizes:
        shelf = next((s for s in shelves if s[1] >= height and s[2] + width <= canvas_width), None)
        if shelf is None:
            top = shelves[-1][0] + shelves[-1][1] if shelves else 0
            shelf = [top, height, 0]
            shelves.append(shelf)
        levels.append(Level(shelf[0], shelf[2], height, width))
        shelf[2] += width
    canvas_height = shelves[-1][0] + shelves[-1][1] if shelves else 0
    return Pyramid(tuple(levels), canvas_height, canvas_width)


def _even(size: float) -> int:
    return 2 * round(size / 2)
