"""Pictures as a bad camera, little light or a hand before the face leave them."""

from __future__ import annotations

import numpy as np

_FULL_WELL = 2000.0  # photo-electrons at white: a phone's camera at a high gain
_READ_NOISE = 3.0  # photo-electrons, standard deviation
_GREY = 128


def blur(picture: np.ndarray, percent: float) -> np.ndarray:
    """Blur by a Gaussian.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), dtype=uint8]
    percent : float >= 0
        Standard deviation in percent of the picture's height, so that pictures of all sizes lose
        alike.
    """
    import cv2

    deviation_px = percent / 100 * picture.shape[0]
    if deviation_px <= 0:
        return picture
    return cv2.GaussianBlur(picture, (0, 0), deviation_px)


def darken(picture: np.ndarray, stops: float, generator: np.random.Generator) -> np.ndarray:
    """Take the picture with less light: every stop halves it, and the sensor's noise remains.

    The picture is brought to linear light (sRGB), scaled, given the noise of counting photons
    (2,000 of them at white, normal approximation) and of reading the sensor, and coded again in
    8 bits. Nothing brightens it afterwards.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), dtype=uint8]
    stops : float >= 0
    generator : np.random.Generator

    Notes
    -----
    Source: IEC 61966-2-1 (sRGB); EMVA Standard 1288, release 3.1, section 2 (sensor noise).
    """
    if stops <= 0:
        return picture
    codes = np.arange(256) / 255
    linear = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    electrons = (_FULL_WELL * linear / 2**stops).astype(np.float32)
    deviation = np.sqrt(electrons + _READ_NOISE**2)
    noise = generator.standard_normal(picture.shape, dtype=np.float32)
    counted = np.take(electrons, picture) + np.take(deviation, picture) * noise
    light = np.clip(counted / _FULL_WELL, 0, 1)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(255 * coded).astype(np.uint8)


def cover(picture: np.ndarray, box: np.ndarray, percent: float) -> np.ndarray:
    """Hold something grey before the face, from the chin up.

    Parameters
    ----------
    picture : np.ndarray [shape=(height, width, 3), dtype=uint8]
    box : np.ndarray [shape=(4,)]
        Left, top, right, bottom of the face in pixels; NaN leaves the picture as it is.
    percent : float, 0 to 100
        Share of the box's height that is covered.
    """
    if percent <= 0 or np.isnan(box).any():
        return picture
    left, top, right, bottom = box
    upper = bottom - percent / 100 * (bottom - top)
    rows = slice(max(0, round(float(upper))), max(0, round(float(bottom))))
    columns = slice(max(0, round(float(left))), max(0, round(float(right))))
    covered = picture.copy()
    covered[rows, columns] = _GREY
    return covered
