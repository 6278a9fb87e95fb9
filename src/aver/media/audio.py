"""`read_audio`: a file's audio as one channel at any rate, whole or in blocks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import MediaError, MissingModalityError, SettingsError
from aver.media.media_file import MediaFile

_JITTER_S = 0.04  # containers round time stamps: smaller gaps and overlaps are ignored
_MAX_SILENCE_S = 600.0  # a larger jump is a broken clock: audio continues without a gap


def read_audio(path: str | Path, rate_hz: int = 16000) -> np.ndarray:
    """Read all audio of a file as one channel.

    Channels are averaged. The first sample is at time 0 of the file's clock, which `read_frames`
    shares: priming samples of the codec are cut off, and there is silence if the audio stream
    starts late or pauses.

    Parameters
    ----------
    path : str or Path
        Any video or audio file that FFmpeg reads (FLAC, WAV, MP3, M4A, MP4, AVI ...).
    rate_hz : int > 0
        Rate to resample to (by soxr, high quality).

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32, range=-1..1]

    Raises
    ------
    MediaError
        If the file is missing, empty, a Git LFS pointer, or nothing in it can be decoded. A
        truncated file gives what it has and warns with `TruncatedMediaWarning`.
    MissingModalityError
        If it has no audio.
    SettingsError
        If `rate_hz` is not positive.
    """
    return np.concatenate(list(AudioReader(path, rate_hz, block_s=10.0)))


def read_audio_blocks(path: str | Path, rate_hz: int = 16000, block_s: float = 1.0) -> AudioReader:
    """Read a file's audio block by block, in constant memory.

    Parameters
    ----------
    path : str or Path
        Any video or audio file that FFmpeg reads.
    rate_hz : int > 0
        Rate to resample to (by soxr, high quality).
    block_s : float > 0
        Length of a block in seconds; the last one may be shorter.

    Returns
    -------
    AudioReader
        Iterator over blocks : np.ndarray [shape=(samples,), dtype=float32, range=-1..1];
        concatenated, they equal `read_audio`.

    Raises
    ------
    MediaError, MissingModalityError, SettingsError
        As `read_audio`.
    """
    return AudioReader(path, rate_hz, block_s)


class AudioReader(Iterator[np.ndarray]):
    """Iterator over blocks of a file's audio; see `read_audio_blocks`.

    Attributes
    ----------
    read_s : float
        End of the audio read so far.
    complete : bool or None
        None while reading; then whether the file was read to its stated end without damage.
    """

    def __init__(self, path: str | Path, rate_hz: int, block_s: float) -> None:
        if rate_hz <= 0:
            raise SettingsError(f"rate_hz is {rate_hz}; give a positive sampling rate in Hz.")
        if round(block_s * rate_hz) < 1:
            raise SettingsError(f"block_s is {block_s}; a block must have at least one sample.")
        self.read_s = 0.0
        self.complete: bool | None = None
        self._media = MediaFile(path)
        self._stream = self._media.audio_stream()
        if self._stream is None:
            self._media.container.close()
            raise MissingModalityError(
                f"{path} has no audio. Use the video alone, or give another file."
            )
        self._stream.codec_context.thread_count = 1
        self._blocks = _cut(self._resampled(rate_hz), round(block_s * rate_hz))

    def __next__(self) -> np.ndarray:
        return next(self._blocks)

    def close(self) -> None:
        """Release the file before the end was reached."""
        self._blocks.close()
        self._media.container.close()

    def _resampled(self, rate_hz: int) -> Iterator[np.ndarray]:
        """Pieces of any length at `rate_hz`."""
        import soxr

        resampler: Any = None
        source_hz = 0
        with self._media as media:
            for source_hz, piece in _on_the_clock(media, self._stream):
                self.read_s += piece.size / source_hz
                if source_hz == rate_hz:
                    yield piece
                    continue
                if resampler is None:
                    resampler = soxr.ResampleStream(source_hz, rate_hz, 1, dtype="float32")
                yield resampler.resample_chunk(piece)
            if resampler is not None:
                yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
            self.complete = media.warn_if_incomplete(self._stream, self.read_s)


def _on_the_clock(media: MediaFile, stream: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Pieces of mono audio without gap or overlap, from time 0, at the file's own rate."""
    rate_hz = 0
    position = 0  # samples yielded so far
    shift = 0  # correction after a broken clock
    for frame in media.decode(stream):
        if rate_hz and frame.sample_rate != rate_hz:
            raise MediaError(
                f"The audio of {media.path} changes its rate from {rate_hz} to "
                f"{frame.sample_rate} Hz. Convert the file to one rate first."
            )
        rate_hz = frame.sample_rate
        samples = _to_mono(frame)
        if frame.pts is not None:
            start_s = float(frame.pts * frame.time_base) - media.origin_s
            late = round(start_s * rate_hz) + shift - position
            if abs(late) > _MAX_SILENCE_S * rate_hz:
                shift -= late
            elif position == 0 and late < 0:
                samples = samples[-late:]  # priming samples of the codec
            elif late > (0 if position == 0 else _JITTER_S * rate_hz):
                yield rate_hz, np.zeros(late, np.float32)
                position += late
            elif late < -_JITTER_S * rate_hz:
                samples = samples[-late:]  # overlaps with samples that were yielded already
        if samples.size:
            yield rate_hz, samples
            position += samples.size


def _to_mono(frame: Any) -> np.ndarray:
    """Mean of the channels as float32 in -1..1."""
    values = frame.to_ndarray()  # planar: (channels, samples); packed: (1, samples x channels)
    channels = len(frame.layout.channels)
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    if values.dtype.kind == "f":
        scaled = values.astype(np.float32)
    elif values.dtype == np.uint8:
        scaled = (values.astype(np.float32) - 128.0) / 128.0
    else:
        scaled = (values / -float(np.iinfo(values.dtype).min)).astype(np.float32)
    return scaled[0] if channels == 1 else scaled.mean(axis=0, dtype=np.float32)


def _cut(pieces: Iterator[np.ndarray], block: int) -> Generator[np.ndarray]:
    """Blocks of equal length; the last one may be shorter."""
    pending: list[np.ndarray] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += piece.size
        while size >= block:
            joined = np.concatenate(pending)
            yield joined[:block].copy()
            pending, size = [joined[block:]], size - block
    if size:
        yield np.concatenate(pending)
