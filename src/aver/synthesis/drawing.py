"""Drawing with smooth edges in the coordinates of a face: 256 units wide, at any resolution."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

SIDE = 256
"""Width and height of the drawing, in units."""

_SHIFT = 4  # OpenCV takes coordinates in sixteenths of a pixel

_ANGLES = np.linspace(0, 2 * np.pi, 40, endpoint=False)
_CIRCLE = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])

Colour = tuple[float, float, float]
"""Blue, green, red, 0 to 255."""


def bgr(rgb: tuple[int, int, int], gain: float = 1.0) -> Colour:
    """Colour as OpenCV orders it, made lighter or darker.

    Examples
    --------
    >>> bgr((100, 50, 10), 2.0)
    (20.0, 100.0, 200.0)
    """
    red, green, blue = (float(min(255.0, max(0.0, value * gain))) for value in rgb)
    return blue, green, red


class Canvas:
    """A square picture that is drawn on in units of the face.

    Parameters
    ----------
    pixels : np.ndarray [shape=(side, side) or (side, side, 3), dtype=uint8]
        Drawn on in place.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.scale = pixels.shape[0] / SIDE

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        """Fill the polygon through `points`, shape (n, 2), in units."""
        cv2.fillPoly(self.pixels, [self._fixed(points)], colour, cv2.LINE_AA, _SHIFT)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        """Draw a line through `points`, shape (n, 2); all in units."""
        thickness = max(1, round(width * self.scale))
        fixed = [self._fixed(points)]
        cv2.polylines(self.pixels, fixed, False, colour, thickness, cv2.LINE_AA, _SHIFT)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a circle."""
        self.polygon(ellipse(x, y, radius, radius), colour)

    def inside(
        self, points: np.ndarray, margin: float = 3.0
    ) -> tuple[tuple[slice, slice], np.ndarray]:
        """The part of the picture around a polygon, and how much of each pixel is inside it.

        Returns
        -------
        (slice, slice), np.ndarray [shape=(rows, columns, 1), dtype=float32]
            Share of each pixel, 0 to 1.
        """
        low = np.floor((points.min(axis=0) - margin) * self.scale).astype(int).clip(0)
        high = np.ceil((points.max(axis=0) + margin) * self.scale).astype(int)
        where = (slice(low[1], high[1]), slice(low[0], high[0]))
        mask = np.zeros(self.pixels[where].shape[:2], np.uint8)
        fixed = self._fixed(points) - (low * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        return where, (mask.astype(np.float32) / 255)[..., None]

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        # A unit's centre is half a unit from its edge, whatever the resolution.
        return np.round(((points + 0.5) * self.scale - 0.5) * 2**_SHIFT).astype(np.int32)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """Outline of an ellipse, shape (40, 2)."""
    return _CIRCLE * [half_width, half_height] + [x, y]


def bend(start: np.ndarray, middle: np.ndarray, end: np.ndarray, points: int = 13) -> np.ndarray:
    """Parabola through three points, `middle` half-way; shape (points, 2)."""
    t = np.linspace(0, 1, points)[:, None]
    control = 2 * np.asarray(middle) - (np.asarray(start) + np.asarray(end)) / 2
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def smooth_outline(points: np.ndarray, per_point: int = 8) -> np.ndarray:
    """Closed smooth curve through `points`, shape (n, 2)."""
    closed = np.vstack([points, points[:1]])
    places = np.arange(len(closed))
    spline = CubicSpline(places, closed, bc_type="periodic")
    return spline(np.linspace(0, len(points), len(points) * per_point, endpoint=False))


def blob(side: int, x: float, y: float, spread_x: float, spread_y: float) -> np.ndarray:
    """Soft round spot for shading: a Gaussian of height 1, in units, shape (side, side)."""
    units = (np.arange(side, dtype=np.float32) + 0.5) * (SIDE / side) - 0.5
    across = np.exp(-0.5 * ((units - x) / spread_x) ** 2)
    down = np.exp(-0.5 * ((units - y) / spread_y) ** 2)
    return down[:, None] * across[None, :]
