"""What a media file holds, from its header: nothing is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aver.errors import MediaError
from aver.media.media_file import MediaFile


@dataclass(frozen=True)
class MediaFacts:
    """What a file says of itself; None where it has no such stream or does not say.

    Parameters
    ----------
    path : Path
    container : str
        FFmpeg's name of the container format.
    duration_s : float or None
        As the header states it; a truncated file states what it should have had.
    has_video, has_sound : bool
        Cover pictures of music files are no video.
    frame_rate_hz : float or None
        Mean frame rate.
    width_px, height_px : int or None
        Of the picture as it is stored, before rotation and pixel shape are undone.
    video_codec, sound_codec : str or None
    sound_rate_hz, channels : int or None
    video_start_s, sound_start_s : float or None
        When each stream starts on the file's clock.
    """

    path: Path
    container: str
    duration_s: float | None
    has_video: bool
    has_sound: bool
    frame_rate_hz: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    video_codec: str | None = None
    sound_codec: str | None = None
    sound_rate_hz: int | None = None
    channels: int | None = None
    video_start_s: float | None = None
    sound_start_s: float | None = None


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
        If the file is missing, empty, a Git LFS pointer, unreadable, or holds neither pictures
        nor sound.
    """
    with MediaFile(path) as media:
        pictures, sound = media.pictures(), media.sound()
        if pictures is None and sound is None:
            raise MediaError(f"{path} holds neither pictures nor sound. Name a media file.")
        facts: dict[str, Any] = {}
        if pictures is not None:
            rate = pictures.average_rate or pictures.guessed_rate
            facts |= {
                "frame_rate_hz": float(rate) if rate else None,
                "width_px": pictures.codec_context.width,
                "height_px": pictures.codec_context.height,
                "video_codec": pictures.codec_context.name,
                "video_start_s": _start_s(media, pictures),
            }
        if sound is not None:
            facts |= {
                "sound_codec": sound.codec_context.name,
                "sound_rate_hz": sound.codec_context.sample_rate,
                "channels": sound.codec_context.channels,
                "sound_start_s": _start_s(media, sound),
            }
        return MediaFacts(
            path=media.path,
            container=media.container.format.name,
            duration_s=_duration_s(media),
            has_video=pictures is not None,
            has_sound=sound is not None,
            **facts,
        )


def _start_s(media: MediaFile, stream: Any) -> float | None:
    if stream.start_time is None or stream.time_base is None:
        return None
    return max(float(stream.start_time * stream.time_base) - media.origin_s, 0.0)


def _duration_s(media: MediaFile) -> float | None:
    if media.container.duration is None:
        return None
    return media.container.duration / 1_000_000
