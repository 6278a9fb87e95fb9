"""`AudioFingerprint`: what stays of a sound under coding, gain, resampling and trimming."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.audit.indexing import pack_keys
from aver.errors import MediaError

VIEWS = ((1.0, 0.5, 0.5), (1.02, 0.5, 0.5), (1.04, 0.5, 0.5)) + tuple(
    (1.02, across, down) for across in (0.0, 1.0) for down in (0.0, 1.0)
)
"""Zoom, and the point that stays in place: a crop of 2 % at the rim, or at one of the corners."""

CENTERED = 3
"""So many of the views, the first ones, are zoomed about the middle."""

_SIDE = 32  # pixels that a picture is shrunk to
_WAVES = 12  # along each axis
_FINEST = 10.5  # waves per picture; what is finer is lost by JPEG or by the crop
_FLATTEST = 4.0  # standard deviation in grey levels, below which a picture shows nothing

_frequency = np.hypot(*np.meshgrid(np.arange(_WAVES), np.arange(_WAVES), indexing="ij"))
_kept = (_frequency > 0) & (_frequency <= _FINEST)
_odd_columns = np.broadcast_to(np.arange(_WAVES) % 2 == 1, (_WAVES, _WAVES))[_kept]

MIRROR = np.where(_odd_columns, -1.0, 1.0).astype(np.float32)
"""Multiply a row by this and it is that of the mirrored picture. [shape=(coefficients,)]."""


def image_fingerprint(gray: np.ndarray) -> np.ndarray | None:
    """Describe a picture by its coarse structure.

    Parameters
    ----------
    gray : np.ndarray [shape=(height, width), dtype=uint8]

    Returns
    -------
    np.ndarray [shape=(7, coefficients), dtype=float32] or None
        A row of norm 1 for each of `VIEWS`; None where the picture is blank.

    Notes
    -----
    Cosine coefficients, each weighted by its frequency, because amplitudes in pictures fall with
    the frequency: so all scales count alike and different faces are nearly uncorrelated.
    Source: Field (1987), "Relations between the statistics of natural images and the response
    properties of cortical cells", for the fall; the whole is a real-valued form of what is called
    a perceptual hash.
    """
    import cv2

    if float(gray.std()) < _FLATTEST:
        return None
    small = _no_larger(gray.astype(np.float32))  # of bytes, shrinking would round
    shrunk = [
        cv2.resize(_seen(small, *view), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        for view in VIEWS
    ]
    rows = coefficients(np.stack(shrunk))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def coefficients(small: np.ndarray) -> np.ndarray:
    """Weighted cosine coefficients of shrunk pictures, without the mean.

    Parameters
    ----------
    small : np.ndarray [shape=(..., 32, 32)]

    Returns
    -------
    np.ndarray [shape=(..., coefficients), dtype=float32]
    """
    from scipy import fft

    waves = fft.dctn(small.astype(np.float32), axes=(-2, -1), norm="ortho")
    return waves[..., :_WAVES, :_WAVES][..., _kept] * _frequency[_kept].astype(np.float32)


def image_file_fingerprint(path: Path) -> np.ndarray | None:
    """Describe a picture file, which may lie in a tar archive.

    Raises
    ------
    MediaError
        If it cannot be read.
    """
    import cv2

    from aver.corpora.files import read_file

    gray = cv2.imdecode(np.frombuffer(read_file(path), np.uint8), cv2.IMREAD_GRAYSCALE)
    if gray is None:
        raise MediaError(f"{path} cannot be read as a picture. Fetch it again.")
    return image_fingerprint(gray)


def _no_larger(gray: np.ndarray) -> np.ndarray:
    """At most 128 pixels a side: finer than needed, and quick to zoom."""
    import cv2

    if max(gray.shape) <= 128:
        return gray
    return cv2.resize(gray, (128, 128), interpolation=cv2.INTER_AREA)


def _seen(gray: np.ndarray, zoom: float, across: float, down: float) -> np.ndarray:
    import cv2

    if zoom == 1.0:
        return gray
    height, width = gray.shape
    moved = ((1 - zoom) * (width - 1) * across, (1 - zoom) * (height - 1) * down)
    matrix = np.array([[zoom, 0, moved[0]], [0, zoom, moved[1]]], np.float32)
    return cv2.warpAffine(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


FRAME_RATE_HZ = 10.0
_FILM_SIDE = 32
_FEWEST = 10  # pictures, one second: over less, chance agreement is not negligible
_LONGEST_LAG = 7  # 0.7 s cut off at the start
_MIN_MOTION = 1.0  # of the weighted coefficients; a still picture's coding noise is below


def video_fingerprint(images: Iterable[np.ndarray]) -> np.ndarray:
    """Describe a film by the coarse structure of its pictures.

    Parameters
    ----------
    images : iterable of np.ndarray [shape=(32, 32), dtype=uint8]
        Grey, ten per second, as `aver.media.reader.read_frames` gives outlines.

    Returns
    -------
    np.ndarray [shape=(pictures, coefficients), dtype=float32]
        Rows are compared after their mean over time is taken off: what stays is the motion, for
        in one studio the pictures themselves are all alike.
    """
    outlines = list(images)
    if not outlines:
        return np.zeros((0, MIRROR.size), np.float32)
    return coefficients(np.stack(outlines))


def video_file_fingerprint(path: Path) -> np.ndarray:
    """Describe a video file, from its first visible picture on.

    Raises
    ------
    MediaError, MissingModalityError
        If the file cannot be read, or has no pictures.
    """
    from aver.media.frames import read_frames

    frames = read_frames(path, FRAME_RATE_HZ, skip_black=True, outline_px=_FILM_SIDE)
    return video_fingerprint(image for _, image in frames)


def motion_of_video(film: np.ndarray) -> np.ndarray | None:
    """Where and how finely a film moves, whenever it does so and mirrored or not.

    Parameters
    ----------
    film : np.ndarray [shape=(pictures, coefficients)]

    Returns
    -------
    np.ndarray [shape=(coefficients,)] or None
        Norm 1; None for films shorter than a second, and for still pictures.
    """
    if len(film) < _FEWEST:
        return None
    motion = np.log(film.std(axis=0) + 1e-3)
    if film.std(axis=0).mean() < _MIN_MOTION:
        return None
    motion -= motion.mean()
    return motion / np.linalg.norm(motion)


def similarity_of_videos(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation of two films' motion, at the best lag up to 0.7 s, mirrored or not.

    Parameters
    ----------
    one, other : np.ndarray [shape=(pictures, coefficients)]

    Returns
    -------
    float
        1 for copies; different takes by one actor reach 0.75.
    """
    return max(_best_lag(one, other), _best_lag(one * MIRROR, other))


def _best_lag(one: np.ndarray, other: np.ndarray) -> float:
    best = -1.0
    for lag in range(-_LONGEST_LAG, _LONGEST_LAG + 1):
        first, last = max(0, lag), min(len(one), len(other) + lag)
        # A short overlap of longer films says little.
        if last - first < max(_FEWEST, min(len(one), len(other)) - _LONGEST_LAG):
            continue
        here, there = one[first:last], other[first - lag : last - lag]
        here, there = here - here.mean(axis=0), there - there.mean(axis=0)
        norm = float(np.sqrt((here**2).sum() * (there**2).sum()))
        if norm > 0:
            best = max(best, float((here * there).sum()) / norm)
    return best


SAMPLE_RATE_HZ = 8000
FRAME_STEP_S = 0.016
_WINDOW = 2048  # samples, 0.256 s: long against the step, so that a shifted start changes little
_STEP = 128
_BANDS_HZ = (200.0, 3400.0)  # what every telephone and codec keeps of a voice
_BITS = 32
_SPAN = 2  # frames between the two that are compared
_QUIETEST = 1e-3  # of the loudest frame's power: what is 30 dB below is noise, and coded away


@dataclass(frozen=True)
class AudioFingerprint:
    """Bits of one sound, a row for every 16 ms.

    Parameters
    ----------
    bits : np.ndarray [shape=(frames, 32), dtype=bool]
        Whether the difference of neighbouring bands' energies grows.
    strengths : np.ndarray [shape=(frames, 32), dtype=float16]
        By how much, within a frame; what is weak may turn over.
    loud : np.ndarray [shape=(frames,), dtype=bool]
        Frames within 30 dB of the loudest.
    """

    bits: np.ndarray
    strengths: np.ndarray
    loud: np.ndarray

    @property
    def keys(self) -> np.ndarray:
        """One number per frame. [shape=(frames,), dtype=uint32]."""
        return pack_keys(self.bits)


def audio_fingerprint(samples: np.ndarray) -> AudioFingerprint:
    """Fingerprint a sound.

    Parameters
    ----------
    samples : np.ndarray [shape=(samples,), range=-1..1]
        At 8 kHz. Shorter than 0.256 s gives a single frame.

    Returns
    -------
    AudioFingerprint

    Notes
    -----
    Source: Haitsma & Kalker (2002), "A highly robust audio fingerprinting system", section 4.2.
    Differs from the paper: bands from 200 to 3,400 Hz in place of 300 to 2,000 Hz, and frames
    0.256 s long, 16 ms apart and compared over two steps, for clips of a few seconds; quiet frames
    are marked, because coding leaves nothing of them.
    """
    from scipy import fft

    padded = np.pad(samples, (0, max(0, _WINDOW + _SPAN * _STEP - samples.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_STEP]
    window = np.hanning(_WINDOW).astype(np.float32)
    spectrum = np.abs(fft.rfft(frames * window, axis=1)) ** 2
    edges = np.geomspace(*_BANDS_HZ, _BITS + 2)
    starts = np.round(edges * _WINDOW / SAMPLE_RATE_HZ).astype(int)
    energies = np.add.reduceat(spectrum, starts, axis=1)[:, : _BITS + 1]  # (frames, bands)
    differences = energies[:, :-1] - energies[:, 1:]
    growth = differences[_SPAN:] - differences[:-_SPAN]
    power = energies.sum(axis=1)
    power = np.minimum(power[_SPAN:], power[:-_SPAN])
    strengths = np.abs(growth) / (np.abs(growth).max(axis=1, keepdims=True) + 1e-30)
    loud = power > max(_QUIETEST * float(power.max()), 1e-9)  # digital silence is never loud
    return AudioFingerprint(growth > 0, strengths.astype(np.float16), loud)


def audio_file_fingerprint(path: Path) -> AudioFingerprint:
    """Fingerprint the sound of a file of any kind.

    Raises
    ------
    MediaError, MissingModalityError
        If the file cannot be read, or has no sound.
    """
    from aver.media.audio import read_audio

    return audio_fingerprint(read_audio(path, SAMPLE_RATE_HZ))


def distance_of_audio_tracks(
    one: AudioFingerprint, other: AudioFingerprint, lag: int
) -> tuple[float, int]:
    """Share of unequal bits where both are loud, with `other` moved by a lag.

    Parameters
    ----------
    one, other : AudioFingerprint
    lag : int
        Frames by which `other` starts later in `one`'s time.

    Returns
    -------
    float
        0 for copies, about 0.45 for different sounds; 1 where they do not overlap.
    int
        How many frames were compared.
    """
    first, last = max(0, lag), min(len(one.loud), len(other.loud) + lag)
    if last <= first:
        return 1.0, 0
    here, there = slice(first, last), slice(first - lag, last - lag)
    both = one.loud[here] & other.loud[there]
    frames = int(both.sum())
    if not frames:
        return 1.0, 0
    return float((one.bits[here][both] != other.bits[there][both]).mean()), frames
