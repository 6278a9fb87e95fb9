"""`degrade_clip`: files of a clip that got worse, for whoever reads clips to read as any other."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.media.audio import read_audio
from aver.media.degradation import (
    Degradation,
    Level,
    add_noise,
    babble,
    blur,
    cover,
    darken,
    white_noise,
)
from aver.media.frames import read_frames

_TICKS = Fraction(1, 90_000)
_SILENCE_HZ = 8000
_X264 = {"preset": "ultrafast", "qp": "0"}  # lossless H.264 in RGB


def write_images(path: Path, images: Iterable[tuple[float, np.ndarray]]) -> None:
    """Write pictures with the times they are shown at.

    Parameters
    ----------
    path : Path
        Ends in ``.mov``.
    images : iterable of (float, np.ndarray [shape=(height, width, 3), dtype=uint8])
        Time in seconds, rising, to a ninety-thousandth; red, green, blue. At least one.
    """
    import av

    with av.open(str(path), "w", format="mov") as container:
        stream = None
        for time_s, image in images:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if stream is None:
                silence = container.add_stream("pcm_s16le", rate=_SILENCE_HZ, layout="mono")
                stream = container.add_stream("libx264rgb", options=_X264)
                stream.codec_context.thread_count = 1
                stream.width, stream.height = frame.width, frame.height
                stream.pix_fmt = "rgb24"
                stream.codec_context.time_base = _TICKS
                # The file's clock starts with its first stream: a silence from 0 on keeps the
                # times of pictures that begin later.
                quiet = av.AudioFrame.from_ndarray(
                    np.zeros((1, _SILENCE_HZ // 100), np.int16), format="s16", layout="mono"
                )
                quiet.sample_rate, quiet.pts = _SILENCE_HZ, 0
                container.mux(silence.encode(quiet))
                container.mux(silence.encode(None))
            frame.pts, frame.time_base = round(time_s / _TICKS), _TICKS
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))


def write_audio(path: Path, audio: np.ndarray, rate_hz: int) -> None:
    """Write sound as a WAV file of 32-bit floats, louder than full scale where it is.

    Parameters
    ----------
    path : Path
    audio : np.ndarray [shape=(samples,), dtype=float32]
    rate_hz : int
    """
    import soundfile

    soundfile.write(path, audio, rate_hz, subtype="FLOAT", format="WAV")


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
    if kind.touches == "audio":
        return _degrade_audio(clip, kind, float(level), folder, generator, voices)
    return _degrade_images(clip, kind, float(level), folder, generator)


def _lose(clip: Clip, modality: str, folder: Path) -> Clip:
    if modality == "action_units":
        return replace(clip, action_units=None, action_units_row="")
    if modality == "video":
        return replace(clip, video=None, audio=clip.audio or clip.video)
    # Without a sound file of its own the clip's video would be listened to.
    silence = folder / "silence.wav"
    write_audio(silence, np.zeros(RATE_HZ // 10, np.float32), RATE_HZ)
    return replace(clip, audio=silence)


def _degrade_audio(
    clip: Clip,
    kind: Degradation,
    level: float,
    folder: Path,
    generator: np.random.Generator,
    voices: Sequence[Path],
) -> Clip:
    path = clip.audio or clip.video
    if path is None:
        return clip
    try:
        audio = read_audio(path, RATE_HZ)
    except MissingModalityError:
        return clip
    if kind.name == "offset":
        worse = shift(audio, round(level * RATE_HZ))
    elif kind.name == "babble":
        worse = add_noise(audio, babble(_read_all(voices), audio.size, generator), level)
    else:
        worse = add_noise(audio, white_noise(audio.size, generator), level)
    target = folder / "audio.wav"
    write_audio(target, worse, RATE_HZ)
    return replace(clip, audio=target)


def _read_all(voices: Sequence[Path]) -> list[np.ndarray]:
    """Sound of the files that have any."""
    audio_tracks = []
    for voice in voices:
        with suppress(MissingModalityError):
            audio_tracks.append(read_audio(voice, RATE_HZ))
    return audio_tracks


def shift(audio: np.ndarray, samples: int) -> np.ndarray:
    """The sound of a later moment (earlier for negative `samples`), silent where there is none.

    Examples
    --------
    >>> shift(np.array([1, 2, 3]), 1).tolist(), shift(np.array([1, 2, 3]), -1).tolist()
    ([2, 3, 0], [0, 1, 2])
    """
    moved = np.zeros_like(audio)
    if samples >= 0:
        moved[: max(0, audio.size - samples)] = audio[samples:]
    else:
        moved[-samples:] = audio[:samples]
    return moved


def _degrade_images(
    clip: Clip, kind: Degradation, level: float, folder: Path, generator: np.random.Generator
) -> Clip:
    if clip.video is None:
        return clip
    target = folder / "images.mov"
    try:
        write_images(target, _worse_images(clip.video, kind, level, generator))
    except MissingModalityError:
        return clip
    return replace(clip, video=target, audio=clip.audio or clip.video)


def _worse_images(
    path: Path, kind: Degradation, level: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    if kind.name == "dropped-frames":
        yield from _drop(path, level, generator)
        return
    boxes = _face_boxes(path) if kind.name == "occlusion" else None
    for time_s, image in read_frames(path):
        if kind.name == "blur":
            worse = blur(image, level)
        elif kind.name == "low-light":
            worse = darken(image, level, generator)
        else:
            assert boxes is not None
            worse = cover(image, _box_at(*boxes, time_s), level)
        yield time_s, worse


def _drop(
    path: Path, percent: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames at their times, of which some show the one before; the first is kept."""
    shown: np.ndarray | None = None
    for time_s, image in read_frames(path):
        # One draw per frame at every level, so that more damage drops the same frames and others.
        dropped = generator.random() < percent / 100
        if shown is None or not dropped:
            shown = image
        yield time_s, shown


def _face_boxes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and boxes (n, 4) of the main face; none where there is no face."""
    from aver.media.main_face import track_faces

    track = track_faces(path, rate_hz=_FACES_HZ)
    return track.times_s[track.found], track.boxes[track.found]


def _box_at(times_s: np.ndarray, boxes: np.ndarray, time_s: float) -> np.ndarray:
    if not len(times_s):
        return np.full(4, np.nan)
    return np.array([np.interp(time_s, times_s, edge) for edge in boxes.T])
