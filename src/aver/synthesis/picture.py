"""The filmed pictures of a clip: a moving head in front of a wall, seen by a noisy camera."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from aver.synthesis.drawing import SIDE
from aver.synthesis.expression import ACTION_UNITS
from aver.synthesis.head import draw_background, draw_head
from aver.synthesis.mimic import Mimic
from aver.synthesis.performance import Performance
from aver.synthesis.session import Session
from aver.synthesis.speaker import Face

_DETAIL = 1.6  # pixels drawn per pixel filmed


def film(
    face: Face,
    performance: Performance,
    session: Session,
    size_px: int,
    noise: float,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Draw a clip frame by frame.

    Parameters
    ----------
    face : Face
    performance : Performance
    session : Session
    size_px : int
        Width and height of the pictures.
    noise : float >= 0
        Scales the noise of the camera.
    rng : np.random.Generator

    Yields
    ------
    np.ndarray [shape=(size_px, size_px, 3), dtype=uint8]
        BGR.
    """
    cv2.setNumThreads(1)  # pictures this small only lose by being shared between threads
    side = round(size_px * _DETAIL)
    head = draw_head(face, side, rng)
    mimic = Mimic(face, head)
    wall = draw_background(face, session.wall, size_px, rng)
    light = session.light.astype(np.float32)
    grain = (noise * rng.normal(0, 3.5, (size_px + 64, size_px + 64, 3))).astype(np.float32)
    warp = _Warp(size_px, session.distance)
    gaze = 0.0
    for frame in range(performance.frames):
        units = performance.units[frame]
        if rng.random() < 0.04:
            gaze = float(np.clip(rng.normal(0, 1.5), -3, 3))
        drawn = mimic.draw(units, performance.lids[frame], performance.rounding[frame], gaze)
        jaw = units[ACTION_UNITS.index("AU26")] / 5
        across, down = warp.maps(performance.pose[frame], jaw, side)
        seen = cv2.remap(drawn, across, down, cv2.INTER_LINEAR, borderValue=(0, 0, 0))
        cover = cv2.remap(head.cover, across, down, cv2.INTER_LINEAR, borderValue=0)
        share = (cover.astype(np.float32) / 255)[..., None]
        top, left = rng.integers(64, size=2)
        picture = (wall * (1 - share) + seen) * light
        picture += grain[top : top + size_px, left : left + size_px]
        yield np.clip(picture, 0, 255).astype(np.uint8)


class _Warp:
    """Where each pixel of the picture finds its colour on the drawn head."""

    def __init__(self, size_px: int, distance: float) -> None:
        pixels = (np.arange(size_px, dtype=np.float32) + 0.5) / size_px - 0.5
        self._x, self._y = np.meshgrid(pixels, pixels)
        self._units = np.float32(SIDE * distance)

    def maps(self, pose: np.ndarray, jaw: float, side: int) -> tuple[np.ndarray, np.ndarray]:
        """For a pose (right, down, roll, yaw, pitch) and a jaw that has dropped, 0 to 1."""
        right, down, roll, yaw, pitch = (np.float32(value) for value in pose)
        x, y = (self._x - right) * self._units, (self._y - down) * self._units
        pivot = np.float32(90)  # the head tilts about the neck
        cos, sin = np.cos(roll), np.sin(roll)
        u = cos * x + sin * (y - pivot)
        v = -sin * x + cos * (y - pivot) + pivot
        # What is nearer moves further when the head turns: an ellipsoid stands in for its depth.
        depth = 50 * np.sqrt(np.maximum(1 - np.square(u / 72) - np.square(v / 98), 0))
        u = u - np.sin(yaw) * depth
        v = v - np.sin(pitch) * depth
        below = np.clip((v - 48) / 34, 0, 1)
        beside = np.square(np.square(u / 60))
        v = v - np.float32(12 * jaw) * below * below * (3 - 2 * below) / (1 + beside)
        scale = np.float32(side / SIDE)
        half = np.float32(side / 2 - 0.5)
        return u * scale + half, v * scale + half
