"""The eight orientations in which files store pictures."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

_ONE = 1 << 16
ORIENTATIONS = {  # EXIF: where a stored pixel (x, y) is shown, as the matrix (a, b, c, d) of MP4
    1: (_ONE, 0, 0, _ONE),
    2: (-_ONE, 0, 0, _ONE),
    3: (-_ONE, 0, 0, -_ONE),
    4: (_ONE, 0, 0, -_ONE),
    5: (0, _ONE, _ONE, 0),
    6: (0, _ONE, -_ONE, 0),
    7: (0, -_ONE, -_ONE, 0),
    8: (0, -_ONE, _ONE, 0),
}


def shown(image: np.ndarray, exif: int) -> np.ndarray:
    """By Pillow."""
    picture = Image.fromarray(image)
    picture.getexif()[0x0112] = exif
    return np.asarray(ImageOps.exif_transpose(picture))


def stored(image: np.ndarray, exif: int) -> np.ndarray:
    """What is shown as `image`: only the quarter turns are not their own inverse."""
    return shown(image, {6: 8, 8: 6}.get(exif, exif))


def set_matrix(path: Path, exif: int) -> None:
    """Write the matrix of the first track header of an MP4 file (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = ORIENTATIONS[exif]
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
