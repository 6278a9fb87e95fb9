"""`MediaFile`: an open video or audio file, with its streams on one clock."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aver.errors import MediaError, MissingModalityError
from aver.execution.files import is_utf8
from aver.media.clock import Clock
from aver.media.file_length import is_cut
from aver.media.streams import check_named_stream, first_with_sound, ranked_streams

if TYPE_CHECKING:
    import av.container
    import av.stream


_LFS_POINTER_START = b"version https://git-lfs"
_ZEROS = bytes(2**16)  # no format begins so; FFmpeg would take a whole file of zeros for one packet

# Containers whose headers state the duration of every stream, even if the file was cut. Others
# state none, or that of the longest stream, subtitles included, or FFmpeg estimates it.
_STATE_THEIR_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "flac")


class TruncatedMediaWarning(UserWarning):
    """A file is truncated or damaged; what could be decoded was used."""


class MediaFile:
    """Open a file of any container that FFmpeg reads, as a context manager.

    All times are in seconds from the start of the file: the earliest time stamp of its streams, or
    zero if that is negative (some codecs give negative stamps to priming samples, which are not
    meant to be played). Video and audio share this clock: an audio stream that starts 2.4 s late
    starts at 2.4 s. Jumps of the time stamps are closed as `aver.media.clock.Clock` says.

    A packet that cannot be decoded is skipped and counted; a truncated file ends where it breaks
    off. `MediaError` is raised only if nothing at all could be decoded.

    Parameters
    ----------
    path : str or Path
        A local file; never a URL.
    video_stream, audio_stream : int, optional
        Which streams to read, counted from 0 among all streams of the file, as `aver check` and
        ffprobe print them. Default: those that players take.

    Attributes
    ----------
    damaged_packets : int
        Packets skipped so far, plus one if the container itself broke.
    clock : Clock
        Says whether time stamps were mended.

    Raises
    ------
    MediaError
        If the file is missing, a folder, empty, a Git LFS pointer, or unreadable, or a stream is
        named that does not exist or is of another kind.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        video_stream: int | None = None,
        audio_stream: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.damaged_packets = 0
        self.clock = Clock()
        _check_is_media_file(self.path)
        self._named = {"video": video_stream, "audio": audio_stream}
        self.container = _opened(self.path)
        try:
            for kind, index in self._named.items():
                if index is not None:
                    check_named_stream(self.container, self.path, kind, index)
        except MediaError:
            self.container.close()
            raise

    def __enter__(self) -> MediaFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.container.close()

    @property
    def origin_s(self) -> float:
        """Time stamp of the container that counts as zero."""
        start = self.container.start_time
        return max(start / 1_000_000, 0.0) if start is not None else 0.0

    def video_stream(self) -> Any | None:
        """The video stream that is named, or that players show; None if there is none."""
        index = self._named["video"]
        if index is not None:
            return self.container.streams[index]
        return next(iter(ranked_streams(self.container.streams.video)), None)

    def audio_stream(self) -> Any | None:
        """The audio stream that is named, or that players play; None if there is none.

        If the one that players play is silent and there is another one with sound, which is no
        commentary, that one is taken; see `stream_flags`.
        """
        index = self._named["audio"]
        if index is None:
            index = self._usual_audio[1]
        return None if index is None else self.container.streams[index]

    @cached_property
    def _usual_audio(self) -> tuple[int | None, int | None]:
        """Index of the audio stream that players play, and of the first that is not silent."""
        indices = [stream.index for stream in ranked_streams(self.container.streams.audio)]
        if len(indices) < 2:
            return (indices[0], indices[0]) if indices else (None, None)
        with _opened(self.path) as container:
            return indices[0], first_with_sound(container, indices)

    def stream_flags(self, kind: str) -> tuple[str, ...]:
        """Which stream is read, unless it is the one that players take.

        Parameters
        ----------
        kind : {"video", "audio"}
        """
        if self._named[kind] is not None:
            return (f"{kind} from stream {self._named[kind]}",)
        if kind == "video":
            return ()
        silent, audible = self._usual_audio
        if silent == audible:
            return ()
        return (f"audio from stream {audible}: stream {silent} is silent",)

    def stated_end_s(self, stream: Any) -> float | None:
        """End of the stream according to the file's header; None if the header does not say."""
        if self.container.format.name not in _STATE_THEIR_LENGTH:
            return None
        if stream.duration is None or stream.time_base is None:
            return None
        start = max(stream.start_time or 0, 0)
        return float((start + stream.duration) * stream.time_base) - self.origin_s

    def decode(self, stream: Any) -> Iterator[Any]:
        """Yield a stream's decoded frames in order, skipping damaged packets.

        Raises
        ------
        MediaError
            If there are packets but none could be decoded, and the file has no other stream.
        MissingModalityError
            If the stream has no packets, or none can be decoded and there is another stream.
        """
        import av

        decoded = 0
        try:
            for packet in self._packets(stream):
                if packet.size == 0 and packet.pts is not None:
                    continue  # the picture before is shown again
                try:
                    frames = packet.decode()
                except (av.FFmpegError, ValueError, OverflowError):
                    self.damaged_packets += 1
                    continue
                for frame in frames:
                    decoded += 1
                    yield frame
        except (av.FFmpegError, ValueError, OverflowError):
            self.damaged_packets += 1
        if decoded:
            return
        what = stream.type
        if not self.damaged_packets:
            raise MissingModalityError(
                f"The {what} stream of {self.path} is empty. Leave out this file, or use the "
                "other modality alone."
            )
        if len(self._played) > 1:
            raise MissingModalityError(
                f"The {what} of {self.path} cannot be decoded. Use the other modality alone, or "
                "download the file again.",
                flag=f"unreadable {what}",
            )
        raise MediaError(
            f"The {what} of {self.path} cannot be decoded: the file is truncated or damaged. "
            "Download it again."
        )

    @property
    def _played(self) -> list[Any]:
        """The streams that share the clock."""
        both = (self.video_stream(), self.audio_stream())
        return [stream for stream in both if stream is not None]

    def _packets(self, stream: Any) -> Iterator[Any]:
        """Packets of a stream with mended time stamps; those of the other one move the clock."""
        for packet in self.container.demux(self._played):
            self.clock.mend(packet)
            if packet.stream.index == stream.index:  # `stream_index` is wrong in empty packets
                yield packet

    def is_complete(self, stream: Any, read_s: float) -> bool:
        """Whether reading up to `read_s` reached the stated end without damage.

        Up to 0.5 s, or 5 % of a long file, may be missing, since headers are often rounded. A file
        that is shorter than it says (`aver.media.file_length.is_cut`) is not complete. The stated
        end does not count if time stamps were mended, since it contains the jump.
        """
        if self.damaged_packets or is_cut(self.path):
            return False
        if self.clock.mended:
            return True
        stated_s = self.stated_end_s(stream)
        return stated_s is None or read_s >= stated_s - max(0.5, 0.05 * stated_s)

    def warn_if_incomplete(self, stream: Any, read_s: float) -> bool:
        """Return `is_complete`, and warn with `TruncatedMediaWarning` if it is False."""
        if self.is_complete(stream, read_s):
            return True
        stated_s = self.stated_end_s(stream)
        of_what = f" of {stated_s:.2f} s" if stated_s is not None else ""
        warnings.warn(
            f"{self.path} is truncated or damaged: its {stream.type} was read up to "
            f"{read_s:.2f} s{of_what}, with {self.damaged_packets} damaged packets.",
            TruncatedMediaWarning,
            stacklevel=3,
        )
        return False


def fault_flags(media: MediaFile, what: str, complete: bool | None) -> tuple[str, ...]:
    """Flags of a modality that was read from a file with faults, or not from the usual stream.

    Parameters
    ----------
    media : MediaFile
    what : str
        Name of the modality.
    complete : bool or None
        Of the reader.
    """
    truncated = (f"truncated {what}",) if complete is False else ()
    mended = (f"{what} with broken time stamps",) if media.clock.mended else ()
    return (*media.stream_flags(what), *truncated, *mended)


def _opened(path: Path) -> av.container.InputContainer:
    import av

    # The prefix keeps names with a colon from being protocols. FFmpeg knows UTF-8 names only.
    name = str(path)
    source: Any = f"file:{name}" if is_utf8(name) else path.open("rb")
    try:
        container = av.open(
            source, metadata_errors="ignore", container_options={"protocol_whitelist": "file"}
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise MediaError(
            f"{path} cannot be read as video or audio ({_reason(error)}). It may be truncated or "
            "not a media file; download it again, or try to play it."
        ) from error
    if container.format.name == "tty":  # FFmpeg draws any text file as a film
        container.close()
        raise MediaError(f"{path} is a text file. Give a video or audio file.")
    return container


def _check_is_media_file(path: Path) -> None:
    if path.is_dir():
        raise MediaError(f"{path} is a folder. Give a video or audio file.")
    if not path.exists():
        raise MediaError(f"{path} does not exist. Check the path and the corpus's folder.")
    if not path.is_file():  # opening a pipe would wait for its writer
        raise MediaError(f"{path} is a device, a pipe or a socket. Give an ordinary file.")
    try:
        with path.open("rb") as file:
            start = file.read(len(_LFS_POINTER_START))
            is_blank = not any(start) and file.read(len(_ZEROS)) == _ZEROS
    except OSError as error:
        raise MediaError(f"{path} cannot be opened: {error.strerror}.") from error
    if not start:
        raise MediaError(f"{path} is empty (0 bytes). Download it again.")
    if is_blank:
        raise MediaError(f"{path} begins with zeros: it holds no media. Download it again.")
    if start == _LFS_POINTER_START:
        raise MediaError(
            f"{path} is a Git LFS pointer, not the media file itself. Run `git lfs pull` in its "
            "repository."
        )


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error).rstrip(".")


@dataclass(frozen=True)
class MediaFacts:
    """Contents of a file's header; None if it has no such stream or does not say.

    Parameters
    ----------
    path : Path
    container : str
        FFmpeg's name of the container format.
    duration_s : float or None
        As stated in the header; a truncated file states its original duration.
    has_video, has_audio : bool
        Cover images of music files do not count as video.
    frame_rate_hz : float or None
        Mean frame rate.
    width_px, height_px : int or None
        Of the frames as stored, before correction of rotation and pixel shape.
    video_codec, audio_codec : str or None
    audio_rate_hz, channels : int or None
    video_start_s, audio_start_s : float or None
        Start of each stream on the file's clock.
    """

    path: Path
    container: str
    duration_s: float | None
    has_video: bool
    has_audio: bool
    frame_rate_hz: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    audio_rate_hz: int | None = None
    channels: int | None = None
    video_start_s: float | None = None
    audio_start_s: float | None = None


def inspect_media(path: str | Path) -> MediaFacts:
    """Read a file's header.

    Parameters
    ----------
    path : str or Path
        Any file that FFmpeg reads.

    Returns
    -------
    MediaFacts

    Raises
    ------
    MediaError
        If the file is missing, empty, a Git LFS pointer, unreadable, or has neither video nor
        audio.
    """
    with MediaFile(path) as media:
        video, audio = media.video_stream(), media.audio_stream()
        if video is None and audio is None:
            raise MediaError(f"{path} has neither video nor audio. Give a media file.")
        duration = media.container.duration
        facts: dict[str, Any] = {}
        if video is not None:
            rate = video.average_rate or video.guessed_rate
            facts |= {
                "frame_rate_hz": float(rate) if rate else None,
                "width_px": video.codec_context.width,
                "height_px": video.codec_context.height,
                "video_codec": video.codec_context.name,
                "video_start_s": _start_s(media, video),
            }
        if audio is not None:
            facts |= {
                "audio_codec": audio.codec_context.name,
                "audio_rate_hz": audio.codec_context.sample_rate,
                "channels": audio.codec_context.channels,
                "audio_start_s": _start_s(media, audio),
            }
        return MediaFacts(
            path=media.path,
            container=media.container.format.name,
            duration_s=None if duration is None else duration / 1_000_000,
            has_video=video is not None,
            has_audio=audio is not None,
            **facts,
        )


def _start_s(media: MediaFile, stream: Any) -> float | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return max(float(stream.start_time * stream.time_base) - media.origin_s, 0.0)
