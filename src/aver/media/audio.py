"""`read_audio`: a file's audio as one channel at any rate, whole or in blocks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import AverError, MissingModalityError, SettingsError
from aver.media.media_file import MediaFile, fault_flags

_JITTER_S = 0.04  # containers round time stamps: smaller gaps and overlaps are ignored
_SILENCE_AT_ONCE_S = 10.0
_CANCELLED = 0.01  # of the energy of the loudest channel: 20 dB
_LOUDEST_FLOAT = 100.0  # samples of float formats are in -1..1, or beyond if overdriven
_UNKNOWN = "NONE"
_USUAL_ORDER = {  # of WAV, without a mask of channels
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
_WEIGHTS = {"FC": 1.0, **dict.fromkeys(("FL", "FR", "FLC", "FRC", "DL", "DR", "BC"), 0.5),
            "LFE": 0.0, "LFE2": 0.0}  # fmt: skip
_INTEGER_SCALES = (32768.0, 2.0**31)


def read_audio(path: str | Path, rate_hz: int = 16000, *, stream: int | None = None) -> np.ndarray:
    """Read all audio of a file as one channel.

    Two channels are averaged; of surround sound the center keeps its level, and the channel for low
    frequencies is left out. If channels cancel each other, the loudest one is taken. Samples that
    are no numbers become 0, and float samples on the scale of integers are brought to -1..1. The
    first sample is at time 0 of the file's clock, which `read_frames` shares: priming samples of
    the codec are cut off, and there is silence if the audio stream starts late or pauses.

    Parameters
    ----------
    path : str or Path
        Any video or audio file that FFmpeg reads (FLAC, WAV, MP3, M4A, MP4, AVI ...).
    rate_hz : int > 0
        Rate to resample to (by soxr, high quality).
    stream : int, optional
        See `aver.media.media_file.MediaFile`.

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
    return np.concatenate(list(AudioReader(path, rate_hz, block_s=10.0, stream=stream)))


def read_audio_blocks(
    path: str | Path, rate_hz: int = 16000, block_s: float = 1.0, *, stream: int | None = None
) -> AudioReader:
    """Read a file's audio block by block, in constant memory.

    Parameters
    ----------
    path : str or Path
        Any video or audio file that FFmpeg reads.
    rate_hz : int > 0
        Rate to resample to (by soxr, high quality).
    block_s : float > 0
        Length of a block in seconds; the last one may be shorter.
    stream : int, optional
        See `aver.media.media_file.MediaFile`.

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
    return AudioReader(path, rate_hz, block_s, stream=stream)


class AudioReader(Iterator[np.ndarray]):
    """Iterator over blocks of a file's audio; see `read_audio_blocks`.

    Attributes
    ----------
    read_s : float
        End of the audio read so far.
    complete : bool or None
        None while reading; then whether the file was read to its stated end without damage.
    flags : tuple of str
        What was wrong with the part read so far; complete after the last block.
    """

    def __init__(
        self, path: str | Path, rate_hz: int, block_s: float, *, stream: int | None = None
    ) -> None:
        if rate_hz <= 0:
            raise SettingsError(f"rate_hz is {rate_hz}; give a positive sampling rate in Hz.")
        if round(block_s * rate_hz) < 1:
            raise SettingsError(f"block_s is {block_s}; a block must have at least one sample.")
        self.read_s = 0.0
        self.complete: bool | None = None
        self._media = MediaFile(path, audio_stream=stream)
        self._stream = self._media.audio_stream()
        if self._stream is None:
            self._media.container.close()
            raise MissingModalityError(
                f"{path} has no audio. Use the video alone, or give another file."
            )
        self._stream.codec_context.thread_count = 1
        self._mixer = _Mixer(_integer_scale(path, self._stream))
        self._blocks = _cut(self._resampled(rate_hz), round(block_s * rate_hz))

    def __next__(self) -> np.ndarray:
        return next(self._blocks)

    @property
    def flags(self) -> tuple[str, ...]:
        """See the class."""
        return (*fault_flags(self._media, "audio", self.complete), *self._mixer.flags)

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
            for piece_hz, piece in _on_the_clock(media, self._stream, self._mixer):
                if resampler is not None and piece_hz != source_hz:
                    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)
                    resampler = None
                source_hz = piece_hz
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


def _on_the_clock(media: MediaFile, stream: Any, mixer: _Mixer) -> Iterator[tuple[int, np.ndarray]]:
    """Pieces of mono audio without gap or overlap, from time 0, each with its rate in the file."""
    position_s = 0.0  # end of what was yielded so far
    first_hz = 0
    for frame in media.decode(stream):
        rate_hz = frame.sample_rate
        first_hz = first_hz or rate_hz
        samples = mixer.to_mono(frame)
        if frame.pts is not None:
            start_s = float(frame.pts * frame.time_base) - media.origin_s
            late = round((start_s - position_s) * rate_hz)
            if position_s == 0 and late < 0:
                samples = samples[-late:]  # priming samples of the codec
            elif late > (0 if position_s == 0 else _JITTER_S * rate_hz):
                for first in range(0, late, round(_SILENCE_AT_ONCE_S * rate_hz)):
                    length = min(late - first, round(_SILENCE_AT_ONCE_S * rate_hz))
                    yield rate_hz, np.zeros(length, np.float32)
                position_s += late / rate_hz
            elif late < -_JITTER_S * rate_hz and rate_hz == first_hz:
                # After a change of rate, FFmpeg counts time by the first rate: no overlap then.
                if -late < samples.size:
                    samples = samples[-late:]  # overlaps with samples that were yielded already
                else:  # FFmpeg makes up the steps after one that MP4 cannot state
                    media.clock.mended = True
        if samples.size:
            yield rate_hz, samples
            position_s += samples.size / rate_hz


def _integer_scale(path: str | Path, stream: Any) -> float:
    """What float samples must be divided by: 1, unless they are on the scale of integers."""
    if not stream.codec_context.name.startswith("pcm_f"):
        return 1.0  # codecs other than plain float samples define the scale
    largest = 0.0
    with MediaFile(path, audio_stream=stream.index) as media:
        try:
            for frame in media.decode(media.audio_stream()):
                values = np.abs(frame.to_ndarray())
                largest = max(largest, float(values[np.isfinite(values)].max(initial=0.0)))
        except AverError:
            return 1.0  # said when the audio is read
    if largest <= _LOUDEST_FLOAT:
        return 1.0
    return next((scale for scale in _INTEGER_SCALES if largest <= scale), largest)


class _Mixer:
    """Turns decoded frames into one channel, and remembers what was wrong with them.

    Parameters
    ----------
    scale : float > 0
        Float samples are divided by it.
    """

    def __init__(self, scale: float) -> None:
        self._scale = scale
        self._energy = np.zeros(0)  # of each channel so far
        self._mixed_energy = 0.0
        self._damaged = self._cancelled = False

    @property
    def flags(self) -> tuple[str, ...]:
        """What was wrong so far."""
        found = {
            "damaged audio samples": self._damaged,
            "audio channels that cancel": self._cancelled,
            "rescaled audio": self._scale != 1.0,
        }
        return tuple(flag for flag, is_so in found.items() if is_so)

    def to_mono(self, frame: Any) -> np.ndarray:
        """Mix of the channels, or the loudest one if they cancel; float32."""
        values = frame.to_ndarray()  # planar: (channels, samples); packed: (1, samples x channels)
        channels = len(frame.layout.channels)
        if not frame.format.is_planar:
            values = values.reshape(-1, channels).T
        if values.dtype.kind == "f":
            scaled = (values / self._scale).astype(np.float32)
            if not np.isfinite(scaled).all():
                self._damaged = True
                scaled = np.nan_to_num(scaled, nan=0.0, posinf=0.0, neginf=0.0)
        elif values.dtype == np.uint8:
            scaled = (values.astype(np.float32) - 128.0) / 128.0
        else:
            scaled = (values / -float(np.iinfo(values.dtype).min)).astype(np.float32)
        if channels == 1:
            return scaled[0]
        return self._mix(scaled, _weights(tuple(one.name for one in frame.layout.channels)))

    def _mix(self, channels: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Of (channels, samples); judged by the energy of all samples so far."""
        mixed = weights @ channels
        if len(self._energy) != len(channels):  # the layout changes inside the stream
            self._energy, self._mixed_energy = np.zeros(len(channels)), 0.0
        self._energy += np.square(channels, dtype=np.float64).sum(axis=1) * weights**2
        self._mixed_energy += float(np.square(mixed, dtype=np.float64).sum())
        loudest = int(self._energy.argmax())
        cancels = self._mixed_energy < _CANCELLED * self._energy[loudest]
        self._cancelled |= bool(cancels)
        return channels[loudest] if cancels else mixed


@lru_cache(maxsize=8)
def _weights(names: tuple[str, ...]) -> np.ndarray:
    """Weight of each channel in the mix: (channels,), float32.

    The center, which carries speech, keeps its level; of a pair in front each gets a half, as in
    stereo; channels at the side and behind are 3 dB softer, and the one for low frequencies is
    left out. Channels whose place is unknown are averaged, except that 6 and 8 are 5.1 and 7.1.

    Source: ITU-R BS.775-3, annex 4, table 2.
    Differs from the source: the center is 3 dB louder against the other channels.
    """
    if all(name == _UNKNOWN for name in names):
        names = _USUAL_ORDER.get(len(names), names)
    if _UNKNOWN in names:
        return np.full(len(names), 1 / len(names), np.float32)
    return np.array([_WEIGHTS.get(name, 0.5 * 0.5**0.5) for name in names], np.float32)


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
