"""`degrade_clip`: a clip with degraded media files, which are read like those of any clip."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MediaError, MissingModalityError
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

RATE_HZ = 16_000
"""Rate of degraded audio, which is that of all audio features; signal-to-noise ratios refer to
frequencies up to half of it."""

_FACES_HZ = 4.0  # tracking rate for occlusion; between these times the box is interpolated


def degrade_clip(
    clip: Clip,
    kind: Degradation,
    level: Level,
    folder: Path,
    *,
    seed: int = 0,
    voices: Sequence[Path] = (),
) -> Clip:
    """Write degraded media of a clip.

    Parameters
    ----------
    clip : Clip
    kind : Degradation
    level : float or str
        One of the kind's levels, or another in its range.
    folder : Path
        An existing folder for the files.
    seed : int
        The same clip, kind and seed give the same noise at every level.
    voices : sequence of Path
        Files of which babble is made.

    Returns
    -------
    Clip
        The clip with its degraded files; the clip itself if it lacks the modality.

    Raises
    ------
    MediaError
        If a file of the clip cannot be read.
    """
    generator = np.random.default_rng([seed, zlib.crc32(f"{kind.name} {clip.clip_id}".encode())])
    if kind.name == "lost-modality":
        return _without_modality(clip, str(level), folder)
    if kind.modality == "audio":
        return _degrade_audio(clip, kind, float(level), folder, generator, voices)
    return _degrade_video(clip, kind, float(level), folder, generator)


def _without_modality(clip: Clip, modality: str, folder: Path) -> Clip:
    if modality == "action_units":
        return replace(clip, action_units=None, action_units_row="")
    if modality == "video":
        return replace(clip, video=None, audio=clip.audio or clip.video)
    # If the clip had no audio file, audio would be read from its video.
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
        degraded = shift(audio, round(level * RATE_HZ))
    elif kind.name == "babble":
        degraded = add_noise(audio, babble(_read_all(voices), audio.size, generator), level)
    else:
        degraded = add_noise(audio, white_noise(audio.size, generator), level)
    target = folder / "audio.wav"
    write_audio(target, degraded, RATE_HZ)
    return replace(clip, audio=target)


def _read_all(voices: Sequence[Path]) -> list[np.ndarray]:
    """Audio of the files that have any and can be read."""
    audios = []
    for voice in voices:
        with suppress(MissingModalityError, MediaError):  # the clip itself is listed in its turn
            audios.append(read_audio(voice, RATE_HZ))
    return audios


def shift(audio: np.ndarray, samples: int) -> np.ndarray:
    """Audio from `samples` later on (earlier if negative), with silence where there is none.

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


def _degrade_video(
    clip: Clip, kind: Degradation, level: float, folder: Path, generator: np.random.Generator
) -> Clip:
    if clip.video is None:
        return clip
    target = folder / "images.mov"
    try:
        write_images(target, _degraded_frames(clip.video, kind, level, generator))
    except MissingModalityError:
        return clip
    return replace(clip, video=target, audio=clip.audio or clip.video)


def _degraded_frames(
    path: Path, kind: Degradation, level: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    if kind.name == "dropped-frames":
        yield from _drop(path, level, generator)
        return
    boxes = _face_boxes(path) if kind.name == "occlusion" else None
    for time_s, frame in read_frames(path):
        if kind.name == "blur":
            degraded = blur(frame, level)
        elif kind.name == "low-light":
            degraded = darken(frame, level, generator)
        else:
            assert boxes is not None
            degraded = cover(frame, _box_at(*boxes, time_s), level)
        yield time_s, degraded


def _drop(
    path: Path, percent: float, generator: np.random.Generator
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames at their times; a dropped frame shows the one before. The first one is kept."""
    shown: np.ndarray | None = None
    for time_s, frame in read_frames(path):
        # One draw per frame at every level, so that higher levels drop the same frames and more.
        dropped = generator.random() < percent / 100
        if shown is None or not dropped:
            shown = frame
        yield time_s, shown


def _face_boxes(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) and boxes (n, 4) of the main face; empty if there is no face."""
    from aver.media.main_face import track_faces

    track = track_faces(path, rate_hz=_FACES_HZ)
    return track.times_s[track.found], track.boxes[track.found]


def _box_at(times_s: np.ndarray, boxes: np.ndarray, time_s: float) -> np.ndarray:
    if not len(times_s):
        return np.full(4, np.nan)
    return np.array([np.interp(time_s, times_s, edge) for edge in boxes.T])


_TICKS = Fraction(1, 90_000)
_SILENCE_HZ = 8000
_X264 = {"preset": "ultrafast", "qp": "0"}  # lossless H.264 in RGB


def write_images(path: Path, images: Iterable[tuple[float, np.ndarray]]) -> None:
    """Write images with the times at which they are displayed.

    Parameters
    ----------
    path : Path
        Ends in ``.mov``.
    images : iterable of (float, np.ndarray [shape=(height, width, 3), dtype=uint8])
        Time in seconds, increasing, rounded to 1/90,000 s, and RGB image. At least one.
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
                # The file's clock starts with its first stream: silence from 0 on keeps the times
                # of images that begin later.
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
    """Write audio as a WAV file of 32-bit floats, which may exceed full scale.

    Parameters
    ----------
    path : Path
    audio : np.ndarray [shape=(samples,), dtype=float32]
    rate_hz : int
    """
    import soundfile

    soundfile.write(path, audio, rate_hz, subtype="FLOAT", format="WAV")
