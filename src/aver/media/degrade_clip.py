"""`degrade_clip`: files of a clip that got worse, for whoever reads clips to read as any other."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.media.degradation import Degradation, Level
from aver.media.lossless import write_pictures, write_sound
from aver.media.noise import add_noise, babble, white_noise
from aver.media.picture_damage import blur, cover, darken
from aver.media.reader import read_frames, read_sound

RATE_HZ = 16_000
"""Degraded sound is written at this rate, that of every feature of sound; signal-to-noise ratios
count the band up to half of it."""

_FACES_HZ = 4.0
"""How often the covered face is looked for; in between its box moves on a straight line."""


def degrade_clip(
    clip: Clip,
    kind: Degradation,
    level: Level,
    folder: Path,
    *,
    seed: int = 0,
    voices: Sequence[Path] = (),
) -> Clip:
    """Write worse media of a clip.

    Parameters
    ----------
    clip : Clip
    kind : Degradation
    level : float or str
        One of the kind's levels, or any other in its range.
    folder : Path
        Where files go; it exists.
    seed : int
        The same clip, kind and seed draw the same noise at every level.
    voices : sequence of Path
        Files to make babble of.

    Returns
    -------
    Clip
        With the files that changed in place of its own; itself where it lacks what gets worse.

    Raises
    ------
    MediaError
        If a file of the clip cannot be read.
    """
    generator = np.random.default_rng([seed, zlib.crc32(f"{kind.name} {clip.clip_id}".encode())])
    if kind.name == "lost-modality":
        return _lose(clip, str(level), folder)
    if kind.touches == "sound":
        return _degrade_sound(clip, kind, float(level), folder, generator, voices)
    return _degrade_pictures(clip, kind, float(level), folder, generator)


def _lose(clip: Clip, modality: str, folder: Path) -> Clip:
    if modality == "units":
        return replace(clip, units=None, units_row="")
    if modality == "video":
        return replace(clip, video=None, sound=clip.sound or clip.video)
    # Without a sound file of its own the clip's video would be listened to.
    silence = folder / "silence.wav"
    write_sound(silence, np.zeros(RATE_HZ // 10, np.float32), RATE_HZ)
    return replace(clip, sound=silence)


def _degrade_sound(
    clip: Clip,
    kind: Degradation,
    level: float,
    folder: Path,
    generator: np.random.Generator,
    voices: Sequence[Path],
) -> Clip:
    path = clip.sound or clip.video
    if path is None:
        return clip
    try:
        sound = read_sound(path, RATE_HZ)
    except MissingModalityError:
        return clip
    if kind.name == "offset":
        worse = shift(sound, round(level * RATE_HZ))
    elif kind.name == "babble":
        worse = add_noise(sound, babble(_read_all(voices), sound.size, generator), level)
    else:
        worse = add_noise(sound, white_noise(sound.size, generator), level)
    target = folder / "sound.wav"
    write_sound(target, worse, RATE_HZ)
    return replace(clip, sound=target)


def _read_all(voices: Sequence[Path]) -> list[np.ndarray]:
    """Sound of the files that have any."""
    sounds = []
    for voice in voices:
        with suppress(MissingModalityError):
            sounds.append(read_sound(voice, RATE_HZ))
    return sounds


def shift(sound: np.ndarray, samples: int) -> np.ndarray:
    """The sound of a later moment (earlier for negative `samples`), silent where there is none.

    Examples
    --------
    >>> shift(np.array([1, 2, 3]), 1).tolist(), shift(np.array([1, 2, 3]), -1).tolist()
    ([2, 3, 0], [0, 1, 2])
    """
    moved = np.zeros_like(sound)
    if samples >= 0:
        moved[: max(0, sound.size - samples)] = sound[samples:]
    else:
        moved[-samples:] = sound[:samples]
    return moved


def _degrade_pictures(
    clip: Clip, kind: Degradation, level: float, folder: Path, generator: np.random.Generator
) -> Clip:
    if clip.video is None:
        return clip
    target = folder / "pictures.mov"
    try:
        write_pictures(target, _worse_pictures(clip.video, kind, level, generator))
    except MissingModalityError:
        return clip
    return replace(clip, video=target, sound=clip.sound or clip.video)


def _worse_pictures(
    path: Path, kind: Degradation, level: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    if kind.name == "dropped-frames":
        yield from _drop(path, level, generator)
        return
    boxes = _face_boxes(path) if kind.name == "occlusion" else None
    for time_s, picture in read_frames(path):
        if kind.name == "blur":
            worse = blur(picture, level)
        elif kind.name == "low-light":
            worse = darken(picture, level, generator)
        else:
            assert boxes is not None
            worse = cover(picture, _box_at(*boxes, time_s), level)
        yield time_s, worse


def _drop(
    path: Path, percent: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames at their times, of which some show the one before; the first is kept."""
    shown: np.ndarray | None = None
    for time_s, picture in read_frames(path):
        # One draw per frame at every level, so that more damage drops the same frames and others.
        dropped = generator.random() < percent / 100
        if shown is None or not dropped:
            shown = picture
        yield time_s, shown


def _face_boxes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and boxes (n, 4) of the main face; none where there is no face."""
    from aver.media.face_track import track_faces

    track = track_faces(path, rate_hz=_FACES_HZ)
    return track.times_s[track.found], track.boxes[track.found]


def _box_at(times_s: np.ndarray, boxes: np.ndarray, time_s: float) -> np.ndarray:
    if not len(times_s):
        return np.full(4, np.nan)
    return np.array([np.interp(time_s, times_s, edge) for edge in boxes.T])
