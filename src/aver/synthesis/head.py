"""What stays the same throughout a clip: skin, hair, clothes, wall; and the drawing tools."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from aver.synthesis.speaker import Face

SIDE = 256
"""Width and height of the drawing, in units."""

_SHIFT = 4  # OpenCV takes coordinates in sixteenths of a pixel

_ANGLES = np.linspace(0, 2 * np.pi, 40, endpoint=False)
_CIRCLE = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])

Color = tuple[float, float, float]
"""Blue, green, red, 0 to 255."""


def bgr(rgb: tuple[int, int, int], gain: float = 1.0) -> Color:
    """Color in OpenCV's order, made lighter or darker.

    Examples
    --------
    >>> bgr((100, 50, 10), 2.0)
    (20.0, 100.0, 200.0)
    """
    red, green, blue = (float(min(255.0, max(0.0, value * gain))) for value in rgb)
    return blue, green, red


class Canvas:
    """A square image with drawing functions in units of the face.

    Parameters
    ----------
    pixels : np.ndarray [shape=(side, side) or (side, side, 3), dtype=uint8]
        Drawn on in place.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.scale = pixels.shape[0] / SIDE

    def polygon(self, points: np.ndarray, color: Color) -> None:
        """Fill the polygon through `points`, shape (n, 2), in units."""
        cv2.fillPoly(self.pixels, [self._fixed(points)], color, cv2.LINE_AA, _SHIFT)

    def line(self, points: np.ndarray, color: Color, width: float) -> None:
        """Draw a line through `points`, shape (n, 2); all in units."""
        thickness = max(1, round(width * self.scale))
        fixed = [self._fixed(points)]
        cv2.polylines(self.pixels, fixed, False, color, thickness, cv2.LINE_AA, _SHIFT)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Fill a circle."""
        self.polygon(ellipse(x, y, radius, radius), color)

    def inside(
        self, points: np.ndarray, margin: float = 3.0
    ) -> tuple[tuple[slice, slice], np.ndarray]:
        """The region of the image around a polygon, and how much of each pixel is inside it.

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
        # A unit's center is half a unit from its edge at any resolution.
        return np.round(((points + 0.5) * self.scale - 0.5) * 2**_SHIFT).astype(np.int32)


def ellipse(x: float, y: float, half_width: float, half_height: float) -> np.ndarray:
    """Outline of an ellipse, shape (40, 2)."""
    return _CIRCLE * [half_width, half_height] + [x, y]


def bend(start: np.ndarray, middle: np.ndarray, end: np.ndarray, points: int = 13) -> np.ndarray:
    """Parabola through three points, with `middle` at its midpoint; shape (points, 2)."""
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


MIDDLE = 128.0
"""The face's line of symmetry, in units."""

EYE_Y, MOUTH_Y, CHIN_Y = 122.0, 174.0, 208.0
"""Heights in an average face, in units."""

_LIGHT = np.array([-0.35, -0.45, 0.82])  # from the upper left, as portraits are lit


@dataclass(frozen=True)
class Head:
    """A head without eyes, brows and mouth.

    Parameters
    ----------
    pixels : np.ndarray [shape=(side, side, 3), dtype=uint8]
        BGR, black outside the head.
    cover : np.ndarray [shape=(side, side), dtype=uint8]
        255 where the head covers the background.
    """

    pixels: np.ndarray
    cover: np.ndarray


def draw_head(face: Face, side: int, rng: np.random.Generator) -> Head:
    """Draw skin and hair.

    Parameters
    ----------
    face : Face
    side : int
        Width and height in pixels.
    rng : np.random.Generator
        Pores and strands of hair.
    """
    outline = _outline(face)
    cover = np.zeros((side, side), np.uint8)
    pixels = np.zeros((side, side, 3), np.uint8)
    _hair_behind(face, pixels, cover, rng)
    skin = np.clip(_skin(face, side, rng), 0, 255).astype(np.uint8)
    mask = np.zeros((side, side), np.uint8)
    for sign in (-1, 1):
        ear = ellipse(MIDDLE + sign * 58 * face.width, 130, 7, 14)
        Canvas(mask).polygon(ear, (255.0, 0.0, 0.0))
    Canvas(mask).polygon(outline, (255.0, 0.0, 0.0))
    share = (mask.astype(np.float32) / 255)[..., None]
    pixels[:] = (pixels * (1 - share) + skin * share).astype(np.uint8)
    np.maximum(cover, mask, out=cover)
    _hair_in_front(face, pixels, cover, rng)
    return Head(pixels, cover)


def draw_background(
    face: Face, wall: np.ndarray, side: int, rng: np.random.Generator
) -> np.ndarray:
    """Wall (of a given color), shoulders and neck.

    Returns
    -------
    np.ndarray [shape=(side, side, 3), dtype=float32]
        BGR, 0 to 255.
    """
    slope = np.linspace(12, -14, side, dtype=np.float32)[:, None, None]
    pixels = np.clip(wall + slope + np.zeros((side, side, 3)), 0, 255).astype(np.uint8)
    canvas = Canvas(pixels)
    shoulders = np.array(
        [
            (10, 300),
            (22, 246),
            (70, 226),
            (104, 216),
            (152, 216),
            (186, 226),
            (234, 246),
            (246, 300),
        ],
        dtype=float,
    )
    half = 27 * face.width
    neck = np.array([(-half, 160), (half, 160), (half + 5, 222), (0, 238), (-half - 5, 222)])
    canvas.polygon(shoulders, bgr(face.shirt))
    canvas.polygon(neck + [MIDDLE, 0], bgr(face.skin, 0.8))
    shade = 1 - 0.35 * blob(side, MIDDLE, 205, 30, 14)
    grain = cv2.GaussianBlur(rng.normal(0, 12, (side, side)).astype(np.float32), (0, 0), 1.5)
    return pixels.astype(np.float32) * shade[..., None] + grain[..., None]


def _outline(face: Face) -> np.ndarray:
    cheek, jaw = 58 * face.width, 58 * face.width * face.jaw
    right = np.array(
        [
            (0, 50),
            (36, 57),
            (cheek - 4, 84),
            (cheek, 118),
            (cheek - 3, 148),
            (jaw, 177),
            (jaw * 0.5, 203),
        ]
    )
    below = np.array([(0, CHIN_Y)])
    left = right[:0:-1] * [-1, 1]
    points = np.vstack([right, below, left])
    points[:, 1] = EYE_Y + (points[:, 1] - EYE_Y) * face.height
    return smooth_outline(points) + [MIDDLE, 0]


def _skin(face: Face, side: int, rng: np.random.Generator) -> np.ndarray:
    units = (np.arange(side, dtype=np.float32) + 0.5) * (256 / side) - 0.5
    u = ((units - MIDDLE) / (66 * face.width))[None, :]
    v = ((units - 130) / (88 * face.height))[:, None]
    z = np.sqrt(np.clip(1 - u**2 - v**2, 0.02, 1))
    lit = 0.66 + 0.42 * (u * _LIGHT[0] + v * _LIGHT[1] + z * _LIGHT[2])
    nose_y = 122 + 30 * face.nose_length
    wide = 9 * face.nose_width
    for x, y, spread_x, spread_y, gain in (
        (MIDDLE - 1, 132, 4, 15, 0.10), (MIDDLE, nose_y - 3, 5, 4, 0.10),  # ridge and tip
        (MIDDLE + wide, nose_y - 8, 3.5, 13, -0.13), (MIDDLE - wide, nose_y - 8, 3, 11, -0.06),
        (MIDDLE, nose_y + 4.5, 9, 2.6, -0.20),  # shadow below the nose
        (MIDDLE - 25 * face.eye_distance, EYE_Y - 3, 13, 9, -0.15),
        (MIDDLE + 25 * face.eye_distance, EYE_Y - 3, 13, 9, -0.17),
        (MIDDLE, 163, 2.2, 4, -0.06), (MIDDLE, 187, 11, 3, -0.14), (MIDDLE, 198, 11, 6, 0.06),
        (MIDDLE - 8, 80, 24, 13, 0.06), (MIDDLE - 32, 147, 12, 9, 0.06),
    ):  # fmt: skip
        lit = lit + gain * blob(side, x, y, spread_x, spread_y)
    pores = cv2.GaussianBlur(rng.normal(0, 0.09, (side, side)).astype(np.float32), (0, 0), 1.2)
    skin = np.array(bgr(face.skin)) * (lit + pores)[..., None]
    blush = blob(side, MIDDLE - 34, 150, 13, 9) + blob(side, MIDDLE + 34, 150, 13, 9)
    skin += blush[..., None] * [-10, -8, 8]
    return _nostrils(face, _beard(face, skin, rng), nose_y)


def _beard(face: Face, skin: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if face.beard == 0:
        return skin
    side = skin.shape[0]
    lower = blob(side, MIDDLE, 206, 40, 17) + blob(side, MIDDLE, 164, 17, 3.5)
    lower += blob(side, MIDDLE - 47, 176, 9, 20) + blob(side, MIDDLE + 47, 176, 9, 20)
    stubble = cv2.GaussianBlur(rng.normal(1, 0.6, (side, side)).astype(np.float32), (0, 0), 0.7)
    share = np.clip(np.clip(lower, 0, 1) * face.beard * stubble, 0, 0.9)[..., None]
    return skin * (1 - share) + np.array(bgr(face.hair)) * share


def _nostrils(face: Face, skin: np.ndarray, nose_y: float) -> np.ndarray:
    dark = np.zeros(skin.shape[:2])
    for sign in (-1, 1):
        dark = dark + blob(
            skin.shape[0], MIDDLE + sign * 5.5 * face.nose_width, nose_y + 1.5, 2.3, 1.5
        )
    return skin * (1 - 0.6 * dark)[..., None]


def _hair_behind(
    face: Face, pixels: np.ndarray, cover: np.ndarray, rng: np.random.Generator
) -> None:
    shapes = {
        "long": [(-62, 70), (0, 36), (62, 70), (72, 150), (66, 236), (-66, 236), (-72, 150)],
        "bob": [(-60, 70), (0, 37), (60, 70), (72, 130), (66, 186), (-66, 186), (-72, 130)],
        "bun": [(-18, 36), (0, 20), (18, 36), (0, 54)],
    }
    if face.hair_style in shapes:
        points = smooth_outline(np.array(shapes[face.hair_style], dtype=float))
        _paint_hair(points * [face.width, 1] + [MIDDLE, 0], face, pixels, cover, rng, 0.75)


def _hair_in_front(
    face: Face, pixels: np.ndarray, cover: np.ndarray, rng: np.random.Generator
) -> None:
    if face.hair_style == "curly":
        for angle in np.linspace(-2.75, -0.4, 34):
            x = MIDDLE + 60 * face.width * np.cos(angle) + rng.normal(0, 3)
            y = 106 + 54 * np.sin(angle) + rng.normal(0, 3)
            curl = ellipse(x, y, *rng.uniform(9, 15, 2))
            _paint_hair(curl, face, pixels, cover, rng, rng.uniform(0.75, 1.25), strands=0)
        return
    hairlines = {
        "short": [(46, 92), (38, 76), (18, 70), (-4, 70), (-26, 72), (-42, 80), (-48, 96)],
        "side": [(50, 104), (44, 84), (26, 72), (2, 68), (-16, 62), (-38, 76), (-50, 104)],
        "long": [(54, 128), (47, 96), (30, 74), (4, 58), (-24, 72), (-46, 96), (-54, 128)],
        "bob": [(55, 126), (48, 98), (30, 88), (0, 86), (-30, 88), (-48, 98), (-55, 126)],
        "bun": [(50, 108), (44, 84), (24, 68), (0, 64), (-24, 68), (-44, 84), (-50, 108)],
    }
    hairline = np.array(hairlines[face.hair_style], dtype=float)
    crown = np.array([(-62, 112), (-58, 74), (-34, 47), (0, 39), (34, 47), (58, 74), (62, 112)])
    points = np.vstack([crown, hairline]) * [face.width, 1] + [MIDDLE, 0]
    _paint_hair(smooth_outline(points), face, pixels, cover, rng, 1.0)


def _paint_hair(
    outline: np.ndarray,
    face: Face,
    pixels: np.ndarray,
    cover: np.ndarray,
    rng: np.random.Generator,
    gain: float,
    strands: int = 90,
) -> None:
    canvas = Canvas(pixels)
    canvas.polygon(outline, bgr(face.hair, gain))
    Canvas(cover).polygon(outline, (255.0, 0.0, 0.0))
    if not strands:
        return
    combed = pixels.copy()
    top = outline[:, 1].min()
    for x in rng.uniform(outline[:, 0].min(), outline[:, 0].max(), strands):
        fall = np.array([(MIDDLE + (x - MIDDLE) * 0.55, top), (x, top + 60), (x * 1.03 - 4, 240)])
        shade = bgr(face.hair, gain * rng.uniform(0.7, 1.35))
        Canvas(combed).line(bend(fall[0], fall[1], fall[2]), shade, 1)
    where, mask = canvas.inside(outline)
    pixels[where] = (pixels[where] * (1 - mask) + combed[where] * mask).astype(np.uint8)
