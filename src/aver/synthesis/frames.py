"""Frames of a clip: a moving head in front of a wall, filmed by a noisy camera."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from aver.synthesis.head import (
    EYE_Y,
    MIDDLE,
    MOUTH_Y,
    SIDE,
    Canvas,
    Head,
    bend,
    bgr,
    blob,
    draw_background,
    draw_head,
    ellipse,
)
from aver.synthesis.performance import Performance
from aver.synthesis.speaker import ACTION_UNITS, Face, Session

_BROW_Y = 103.0


class ExpressiveHead:
    """Draws one head with changing expressions.

    Parameters
    ----------
    face : Face
    head : Head
    """

    def __init__(self, face: Face, head: Head) -> None:
        self._face = face
        self._head = head
        side = head.pixels.shape[0]
        # Folds darken the skin; each depends on the action units that form it.
        cheeks = sum(blob(side, MIDDLE + s * 29, 160, 3.0, 9) for s in (-1, 1))
        frown = sum(blob(side, MIDDLE + s * 5, 101, 1.6, 6) for s in (-1, 1))
        forehead = sum(blob(side, MIDDLE, y, 26, 1.3) for y in (78, 85, 92))
        pouches = sum(blob(side, MIDDLE + s * 25, 135, 11, 2.0) for s in (-1, 1))
        self._folds = np.stack([cheeks, frown, forehead, pouches]).astype(np.float32)
        low, high = (round(y * side / SIDE) for y in (70, 182))
        self._rows = slice(low, high)

    def draw(self, units: np.ndarray, lids: float, rounding: float, gaze: float) -> np.ndarray:
        """The head with one expression.

        Parameters
        ----------
        units : np.ndarray [shape=(11,)]
            Intensities of `ACTION_UNITS`, 0 to 5.
        lids : float in [0, 1]
            1 is a closed eye, as in a blink.
        rounding : float in [0, 1]
            Of the lips.
        gaze : float
            Horizontal shift of the irises, in units.

        Returns
        -------
        np.ndarray [shape=(side, side, 3), dtype=uint8]
            BGR.
        """
        unit = dict(zip(ACTION_UNITS, units / 5, strict=True))
        pixels = self._head.pixels.copy()
        weights = np.array(
            [
                0.34 * unit["AU12"] + 0.2 * unit["AU06"] + 0.1 * unit["AU20"],
                0.5 * unit["AU04"],
                0.2 * unit["AU01"] + 0.25 * unit["AU02"],
                0.3 * unit["AU06"] + 0.2 * unit["AU07"],
            ],
            dtype=np.float32,
        )
        shade = 1 - np.tensordot(weights, self._folds[:, self._rows], axes=1)
        pixels[self._rows] = (pixels[self._rows] * shade[..., None]).astype(np.uint8)
        canvas = Canvas(pixels)
        for sign in (-1.0, 1.0):
            self._eye(canvas, unit, sign, lids, gaze)
            self._brow(canvas, unit, sign)
        self._mouth(canvas, unit, rounding)
        if self._face.glasses:
            self._glasses(canvas)
        return pixels

    def _eye(
        self, canvas: Canvas, unit: dict[str, float], sign: float, lids: float, gaze: float
    ) -> None:
        face = self._face
        x, half = MIDDLE + sign * 25 * face.eye_distance, 13 * face.eye_size
        low = 4.4 * face.eye_size * (1 - 0.7 * unit["AU06"] - 0.75 * unit["AU07"])
        up = 6.6 * face.eye_size * (1 + 0.9 * unit["AU05"] - 0.55 * unit["AU07"])
        up = (1 - lids) * up - lids * low * 0.8
        inner = np.array([x - sign * half, EYE_Y + 1.0])
        outer = np.array([x + sign * half, EYE_Y - 13 * face.eye_tilt])
        upper = bend(inner, np.array([x, EYE_Y - up]), outer)
        lower = bend(inner, np.array([x, EYE_Y + low]), outer)
        if up + low > 1.0:
            self._eyeball(canvas, np.vstack([upper, lower[::-1]]), x + gaze)
        crease = bend(
            inner + [sign * 2, -3], np.array([x, EYE_Y - max(up, 2) - 4]), outer + [0, -2]
        )
        canvas.line(crease, bgr(face.skin, 0.62), 1)
        canvas.line(lower, bgr(face.skin, 0.55), 1)
        canvas.line(upper, (28.0, 24.0, 26.0), 2.2)

    def _eyeball(self, canvas: Canvas, opening: np.ndarray, x: float) -> None:
        face = self._face
        where, mask = canvas.inside(opening)
        before = canvas.pixels[where].astype(np.float32)
        radius, y = 6.6 * face.eye_size, EYE_Y - 0.6
        canvas.polygon(opening + (opening - opening.mean(axis=0)) * 0.2, (222.0, 226.0, 230.0))
        canvas.disc(x, y, radius, bgr(face.iris, 0.55))
        canvas.disc(x, y + 0.4, radius * 0.82, bgr(face.iris, 1.1))
        canvas.disc(x, y, radius * 0.45, (14.0, 12.0, 12.0))
        canvas.disc(x - 2.2, y - 2.4, 1.5, (250.0, 250.0, 250.0))
        shaded = canvas.pixels[where] * mask + before * (1 - mask)
        canvas.pixels[where] = shaded.astype(np.uint8)

    def _brow(self, canvas: Canvas, unit: dict[str, float], sign: float) -> None:
        face = self._face
        y = EYE_Y - (EYE_Y - _BROW_Y) * face.brow_height + 7 * unit["AU04"]
        rise_inner = 15 * unit["AU01"] - 6 * unit["AU04"]
        rise_outer = 15 * unit["AU02"] - 3 * unit["AU01"] + 1.5 * unit["AU04"]
        near = 11 - 6 * unit["AU04"]
        inner = np.array([MIDDLE + sign * near, y + 1 - rise_inner])
        middle = np.array([MIDDLE + sign * 27, y - 4 - 0.35 * rise_inner - 0.8 * rise_outer])
        outer = np.array([MIDDLE + sign * 43, y + 2 - rise_outer])
        spine = bend(inner, middle, outer)
        thickness = face.brow_thickness * np.linspace(3.2, 0.7, len(spine))
        below = spine + np.column_stack([np.zeros(len(spine)), thickness])
        above = spine - np.column_stack([np.zeros(len(spine)), thickness])
        canvas.polygon(np.vstack([above, below[::-1]]), bgr(face.hair, 0.75))

    def _mouth(self, canvas: Canvas, unit: dict[str, float], rounding: float) -> None:
        face = self._face
        smile, frown = unit["AU12"], unit["AU15"]
        wide = 1 + 0.5 * smile + 0.45 * unit["AU20"] - 0.05 * frown - 0.25 * rounding
        half = 20 * face.mouth_width * wide
        corner_y = MOUTH_Y - 13 * smile + 12 * frown + 2 * unit["AU20"]
        gap = 7 * unit["AU25"] + 22 * unit["AU26"]
        thin = face.lip_thickness * (1 - 0.35 * smile - 0.35 * unit["AU20"] + 0.25 * rounding)
        corners = np.array([[MIDDLE - half, corner_y], [MIDDLE + half, corner_y]])
        high, low = MOUTH_Y + 1.5 * smile - 0.25 * gap, MOUTH_Y + 1.5 * smile + 0.75 * gap
        upper = bend(corners[0], np.array([MIDDLE, high]), corners[1])
        lower = bend(corners[0], np.array([MIDDLE, low]), corners[1])
        fullness = np.sin(np.linspace(0, np.pi, len(upper)))
        bow = 1 - 0.28 * np.exp(-0.5 * (np.linspace(-1, 1, len(upper)) / 0.12) ** 2)
        top = upper - np.column_stack([0 * fullness, 6.0 * thin * fullness**0.8 * bow])
        bottom = lower + np.column_stack([0 * fullness, 7.5 * thin * fullness**0.8])
        lips = np.array(bgr(face.skin)) * [0.62, 0.58, 0.80]
        canvas.polygon(np.vstack([top, upper[::-1]]), tuple(lips * 0.88))
        canvas.polygon(np.vstack([lower, bottom[::-1]]), tuple(lips))
        shine = ellipse(MIDDLE - 2, low + 3.6 * thin, half * 0.35, 1.1 * thin)
        canvas.polygon(shine, tuple(np.minimum(lips * 1.18, 255)))
        if gap > 1.2:
            self._inside_of_mouth(canvas, upper, lower, gap)
        canvas.line(upper, (40.0, 30.0, 60.0), 1)
        canvas.line(lower, (50.0, 40.0, 80.0), 1)

    def _inside_of_mouth(
        self, canvas: Canvas, upper: np.ndarray, lower: np.ndarray, gap: float
    ) -> None:
        where, mask = canvas.inside(np.vstack([upper, lower[::-1]]))
        before = canvas.pixels[where].astype(np.float32)
        canvas.pixels[where] = (42, 24, 60)
        teeth = min(0.5 * gap, 4.5)
        canvas.polygon(np.vstack([upper - [0, 2], upper[::-1] + [0, teeth]]), (214.0, 222.0, 226.0))
        low = lower[len(lower) // 2]
        canvas.polygon(ellipse(low[0], low[1] + 1, 11, 0.3 * gap), (96.0, 84.0, 176.0))
        shaded = canvas.pixels[where] * mask + before * (1 - mask)
        canvas.pixels[where] = shaded.astype(np.uint8)

    def _glasses(self, canvas: Canvas) -> None:
        frame = (36.0, 32.0, 34.0)
        apart = 25 * self._face.eye_distance
        for sign in (-1.0, 1.0):
            rim = ellipse(MIDDLE + sign * apart, EYE_Y + 3, 19, 15)
            canvas.line(np.vstack([rim, rim[:1]]), frame, 1.5)
            temple = np.array([(apart + 19, EYE_Y), (58 * self._face.width, EYE_Y - 2)])
            canvas.line(temple * [sign, 1] + [MIDDLE, 0], frame, 1.5)
        bridge = [(MIDDLE - apart + 19, EYE_Y), (MIDDLE, EYE_Y - 3), (MIDDLE + apart - 19, EYE_Y)]
        canvas.line(np.array(bridge), frame, 1.5)


_DETAIL = 1.6  # pixels drawn per pixel of the frame


def render_frames(
    face: Face,
    performance: Performance,
    session: Session,
    size_px: int,
    noise: float,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Draw the frames of a clip, one at a time.

    Parameters
    ----------
    face : Face
    performance : Performance
    session : Session
    size_px : int
        Width and height of the frames.
    noise : float >= 0
        Scales the noise of the camera.
    rng : np.random.Generator

    Yields
    ------
    np.ndarray [shape=(size_px, size_px, 3), dtype=uint8]
        BGR.
    """
    cv2.setNumThreads(1)  # frames this small are slower with several threads
    side = round(size_px * _DETAIL)
    head = draw_head(face, side, rng)
    expressive = ExpressiveHead(face, head)
    wall = draw_background(face, session.wall, size_px, rng)
    light = session.light.astype(np.float32)
    grain = (noise * rng.normal(0, 3.5, (size_px + 64, size_px + 64, 3))).astype(np.float32)
    warp = _Warp(size_px, session.distance)
    gaze = 0.0
    for frame in range(performance.frames):
        units = performance.units[frame]
        if rng.random() < 0.04:
            gaze = float(np.clip(rng.normal(0, 1.5), -3, 3))
        drawn = expressive.draw(units, performance.lids[frame], performance.rounding[frame], gaze)
        jaw = units[ACTION_UNITS.index("AU26")] / 5
        across, down = warp.maps(performance.pose[frame], jaw, side)
        seen = cv2.remap(drawn, across, down, cv2.INTER_LINEAR, borderValue=(0, 0, 0))
        cover = cv2.remap(head.cover, across, down, cv2.INTER_LINEAR, borderValue=0)
        share = (cover.astype(np.float32) / 255)[..., None]
        top, left = rng.integers(64, size=2)
        image = (wall * (1 - share) + seen) * light
        image += grain[top : top + size_px, left : left + size_px]
        yield np.clip(image, 0, 255).astype(np.uint8)


class _Warp:
    """For each pixel of the frame, its place on the drawn head."""

    def __init__(self, size_px: int, distance: float) -> None:
        pixels = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px - 0.5
        self._x, self._y = np.meshgrid(pixels, pixels)
        self._units = np.float32(SIDE * distance)

    def maps(self, pose: np.ndarray, jaw: float, side: int) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates for a pose (right, down, roll, yaw, pitch) and an opened jaw, 0 to 1."""
        right, down, roll, yaw, pitch = (np.float32(value) for value in pose)
        x, y = (self._x - right) * self._units, (self._y - down) * self._units
        pivot = np.float32(90)  # the head tilts about the neck
        cos, sin = np.cos(roll), np.sin(roll)
        u = cos * x + sin * (y - pivot)
        v = -sin * x + cos * (y - pivot) + pivot
        # Near parts move further when the head turns; an ellipsoid approximates the depth.
        depth = 50 * np.sqrt(np.maximum(1 - np.square(u / 72) - np.square(v / 98), 0))
        u = u - np.sin(yaw) * depth
        v = v - np.sin(pitch) * depth
        below = np.clip((v - 48) / 34, 0, 1)
        beside = np.square(np.square(u / 60))
        v = v - np.float32(12 * jaw) * below * below * (3 - 2 * below) / (1 + beside)
        scale = np.float32(side / SIDE)
        half = np.float32(side / 2 - 0.5)
        return u * scale + half, v * scale + half
