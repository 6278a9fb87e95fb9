"""`Recording`: video frames and audio samples in memory, such as those of a camera or a service."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import MediaError


@dataclass(frozen=True, eq=False)
class Recording:
    """Frames, audio or both, which start at the same time.

    Parameters
    ----------
    frames : np.ndarray [shape=(frames, height, width, 3), dtype=uint8], optional
        In RGB, upright. One picture may have the shape (height, width, 3).
    frame_rate_hz : float in (0, 1000]
    audio : np.ndarray [shape=(samples,) or (samples, channels) or (channels, samples)], optional
        Floats in -1..1, or integers on their full scale; the shorter axis is that of the channels.
    audio_rate_hz : float in [1000, 768000]
        Needed with `audio`.

    Raises
    ------
    MediaError
        If there is neither frames nor audio, or a shape, type or rate does not fit.

    Examples
    --------
    >>> Recording(audio=np.zeros(16000))
    Traceback (most recent call last):
    aver.errors.MediaError: The rate of the audio is missing. Give audio_rate_hz, such as 16000.
    """

    frames: np.ndarray | None = None
    frame_rate_hz: float = 25.0
    audio: np.ndarray | None = None
    audio_rate_hz: float | None = None

    def __post_init__(self) -> None:
        if self.frames is None and self.audio is None:
            raise MediaError("The recording is empty. Give frames, audio or both.")
        if self.frames is not None:
            object.__setattr__(self, "frames", _checked_frames(self.frames))
            _check_rate("frame_rate_hz", self.frame_rate_hz, 0.001, 1000)
        if self.audio is not None:
            object.__setattr__(self, "audio", _checked_audio(self.audio))
            if self.audio_rate_hz is None:
                raise MediaError(
                    "The rate of the audio is missing. Give audio_rate_hz, such as 16000."
                )
            _check_rate("audio_rate_hz", self.audio_rate_hz, 1000, 768_000)

    def write(self, folder: Path) -> tuple[Path | None, Path | None]:
        """Write frames and audio without loss, as files that every feature reads.

        Parameters
        ----------
        folder : Path
            An existing one.

        Returns
        -------
        video, audio : Path or None
        """
        video = audio = None
        if self.frames is not None:
            video = folder / "frames.nut"
            _write_frames(video, self.frames, self.frame_rate_hz)
        if self.audio is not None and self.audio_rate_hz is not None:
            import soundfile

            audio = folder / "audio.wav"
            soundfile.write(audio, self.audio, round(self.audio_rate_hz), subtype="FLOAT")
        return video, audio


def _checked_frames(frames: Any) -> np.ndarray:
    frames = np.asarray(frames)
    if frames.ndim == 3:
        frames = frames[None]
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not frames.size:
        raise MediaError(
            f"The frames have the shape {frames.shape} and the type {frames.dtype}. Give RGB "
            "frames of the shape (frames, height, width, 3) and the type uint8."
        )
    return np.ascontiguousarray(frames)


def _checked_audio(audio: Any) -> np.ndarray:
    """Samples in -1..1: (samples, channels), float32."""
    audio = np.asarray(audio)
    if audio.ndim == 2 and audio.shape[0] < audio.shape[1]:
        audio = audio.T
    if audio.ndim not in (1, 2) or not audio.size or audio.dtype.kind not in "iuf":
        raise MediaError(
            f"The audio has the shape {audio.shape} and the type {audio.dtype}. Give numbers of "
            "the shape (samples,) or (samples, channels)."
        )
    if audio.dtype.kind == "f":
        return audio.astype(np.float32)
    limits = np.iinfo(audio.dtype)
    middle = (limits.max + limits.min + 1) // 2  # 0 unless the integers are unsigned
    return ((audio.astype(np.float64) - middle) / (limits.max - middle + 1)).astype(np.float32)


def _check_rate(name: str, rate_hz: float, lowest: float, highest: float) -> None:
    is_number = isinstance(rate_hz, int | float | np.integer | np.floating)
    if not is_number or not lowest <= rate_hz <= highest:
        raise MediaError(f"{name} must be a number from {lowest} to {highest}, not {rate_hz!r}.")


def _write_frames(path: Path, frames: np.ndarray, rate_hz: float) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            "rawvideo", rate=Fraction(rate_hz).limit_denominator(1001)
        )
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "rgb24"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
