"""`describe_media`: what is in a media file, track by track, by its header and by its content."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aver.errors import AverError, MissingModalityError
from aver.execution.clip_work import clip_work
from aver.media.audio import AudioReader, read_audio_blocks
from aver.media.boxes import areas
from aver.media.face_detection import FaceDetector, make_detector
from aver.media.frames import FrameReader, orientation, read_frames
from aver.media.media_file import MediaFile, TruncatedMediaWarning
from aver.media.voice_activity import detect_speech

_FRAMES_WITH_FACES = 8
_OUTLINE_PX = 16  # frames that are only counted are not converted to pictures
_AUDIO_HZ = 16000
_BLOCK_S = 10.0
_SILENT = -200.0  # dB, in place of minus infinity, which JSON lacks

_TURNS = {
    (False, False, False): "upright",
    (True, True, False): "turned right",
    (False, True, True): "upside down",
    (True, False, True): "turned left",
    (False, True, False): "mirrored",
    (False, False, True): "upside down, mirrored",
    (True, False, False): "turned right, mirrored",
    (True, True, True): "turned left, mirrored",
}


@dataclass(frozen=True)
class Track:
    """One track of a file, by its header; None if the header does not say.

    Parameters
    ----------
    index : int
        Number of the track in the file, from 0.
    kind : str
        ``"video"``, ``"audio"``, ``"subtitle"``, ``"data"`` or ``"attachment"``.
    codec : str
        FFmpeg's name; empty if it has no decoder.
    has_decoder, is_default, is_chosen : bool
        Whether the track can be decoded, is marked as the default, and is the one that aver reads.
    why : str
        Why it is chosen, or not.
    title, language : str
        Empty if there is none.
    start_s, duration_s : float or None
    width_px, height_px : int or None
        As stored, before rotation.
    rate_hz : float or None
        Frames or samples per second.
    channels : int or None
    """

    index: int
    kind: str
    codec: str
    has_decoder: bool
    is_default: bool
    is_chosen: bool
    why: str
    title: str = ""
    language: str = ""
    start_s: float | None = None
    duration_s: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    rate_hz: float | None = None
    channels: int | None = None


@dataclass(frozen=True)
class VideoContent:
    """The chosen video track, decoded to its end.

    Parameters
    ----------
    frames : int
        Decoded frames.
    duration_s : float
        End of the last frame, on the file's clock.
    rate_hz : float or None
        Frames per second between the first frame and the last; None for one frame.
    orientation : str
        How the stored pictures are turned to be shown, such as ``"turned right"``.
    width_px, height_px : int
        Of the pictures as shown.
    examined : int
        Frames in which faces were looked for, spread over the video.
    face_share : float in [0, 1]
        Share of the examined frames with a face.
    most_faces : int
        In one examined frame.
    face_px : float or None
        Side of the largest face: median over the examined frames with a face. None without one.
    flags : tuple of str
        Faults of the track; see `aver.media.media_file.fault_flags`.
    """

    frames: int
    duration_s: float
    rate_hz: float | None
    orientation: str
    width_px: int
    height_px: int
    examined: int
    face_share: float
    most_faces: int
    face_px: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class AudioContent:
    """The chosen audio track, decoded to its end.

    Parameters
    ----------
    duration_s : float
        End of the audio, on the file's clock.
    speech_share : float in [0, 1]
    speech_s : float
        Speech in all.
    peak_db : float
        Largest sample relative to full scale; -200 for digital silence.
    flags : tuple of str
        Faults of the track; see `aver.media.audio.AudioReader`.
    """

    duration_s: float
    speech_share: float
    speech_s: float
    peak_db: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class MediaDescription:
    """What is in a media file.

    Parameters
    ----------
    path : Path
    container : str
        FFmpeg's name of the format; empty if the file cannot be opened.
    size_bytes : int or None
    duration_s : float or None
        As the header states it.
    tracks : tuple of Track
    video, audio : VideoContent, AudioContent or None
        None if there is no such track, or nothing of it can be decoded.
    problems : tuple of str
        Whole sentences: why the file, or one of its tracks, cannot be read.
    """

    path: Path
    container: str = ""
    size_bytes: int | None = None
    duration_s: float | None = None
    tracks: tuple[Track, ...] = ()
    video: VideoContent | None = None
    audio: AudioContent | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether some video or audio can be decoded."""
        return self.video is not None or self.audio is not None


def describe_media(
    path: str | Path,
    detector: FaceDetector | str = "mtcnn",
    *,
    video_stream: int | None = None,
    audio_stream: int | None = None,
) -> MediaDescription:
    """Look at every track of a file, and decode those that aver would read.

    Faces are looked for in 8 frames. Memory does not grow with the length of the file.

    Parameters
    ----------
    path : str or Path
        A picture, a video or an audio file, broken or not.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    video_stream, audio_stream : int, optional
        Streams to read, see `aver.media.media_file.MediaFile`.

    Returns
    -------
    MediaDescription
        A file that cannot be read has `problems`; nothing is raised for it.

    Raises
    ------
    SettingsError
        If there is no such detector.
    """
    path = Path(path)
    found = make_detector(detector) if isinstance(detector, str) else detector
    try:
        with (
            clip_work(path),
            MediaFile(path, video_stream=video_stream, audio_stream=audio_stream) as media,
        ):
            tracks = tuple(_tracks(media))
            container = media.container.format.name
            duration = media.container.duration
    except AverError as error:
        return MediaDescription(path, problems=(str(error),))
    problems: list[str] = []
    video: VideoContent | None = None
    audio: AudioContent | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedMediaWarning)  # flagged
        try:
            with clip_work(path):
                video = _video_content(path, found, video_stream)
        except AverError as error:
            problems += _said(error, "video", tracks)
        try:
            with clip_work(path):
                audio = _audio_content(path, audio_stream)
        except AverError as error:
            problems += _said(error, "audio", tracks)
    if not tracks:
        problems.append(f"{path} has neither video nor audio. Give a media file.")
    return MediaDescription(
        path=path,
        container=container,
        size_bytes=path.stat().st_size,
        duration_s=None if duration is None else duration / 1_000_000,
        tracks=tracks,
        video=video,
        audio=audio,
        problems=tuple(dict.fromkeys(problems)),
    )


def _said(error: AverError, kind: str, tracks: tuple[Track, ...]) -> Iterator[str]:
    """The error as a problem, unless the file simply has no such track."""
    if isinstance(error, MissingModalityError) and not any(
        track.kind == kind and track.is_chosen for track in tracks
    ):
        if any(track.kind == kind and not track.has_decoder for track in tracks):
            yield f"There is no decoder for the {kind}. Convert the file, for instance to MP4."
        return
    yield str(error)


def _tracks(media: MediaFile) -> Iterator[Track]:
    from av.stream import Disposition

    chosen = {stream.index for stream in (media.video_stream(), media.audio_stream()) if stream}
    for stream in media.container.streams:
        context: Any = stream.codec_context
        start, duration, base = stream.start_time, stream.duration, stream.time_base
        is_video, is_audio = stream.type == "video", stream.type == "audio"
        rate = _rate_hz(stream) if context is not None else None
        yield Track(
            index=stream.index,
            kind=str(stream.type),
            codec=context.name if context is not None else "",
            has_decoder=context is not None,
            is_default=bool(stream.disposition & Disposition.default),
            is_chosen=stream.index in chosen,
            why=_why(stream, stream.index in chosen, media),
            title=stream.metadata.get("title", ""),
            language=stream.metadata.get("language", "").replace("und", ""),
            start_s=None if start is None or base is None else float(start * base),
            duration_s=None if duration is None or base is None else float(duration * base),
            width_px=context.width if is_video and context else None,
            height_px=context.height if is_video and context else None,
            rate_hz=rate if is_video or is_audio else None,
            channels=context.channels if is_audio and context else None,
        )


def _rate_hz(stream: Any) -> float | None:
    if stream.type == "audio":
        return float(stream.codec_context.sample_rate)
    if stream.type != "video":
        return None
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def _why(stream: Any, is_chosen: bool, media: MediaFile) -> str:
    """The rules of `aver.media.streams`, for one track."""
    from av.stream import Disposition

    if stream.type not in ("video", "audio"):
        return "not used"
    same = [one for one in media.container.streams if one.type == stream.type]
    if stream.codec_context is None:
        return "no decoder"
    if stream.disposition & Disposition.attached_pic:
        return "cover image"
    if is_chosen and media.stream_flags(stream.type):
        return "; ".join(media.stream_flags(stream.type))
    if is_chosen:
        if len(same) == 1:
            return f"the only {stream.type} track"
        is_default = stream.disposition & Disposition.default
        return "the default track" if is_default else "the first usable track"
    if stream.disposition & Disposition.comment:
        return "commentary"
    if stream.disposition & (Disposition.hearing_impaired | Disposition.visual_impaired):
        return "for people with impaired hearing or sight"
    return "another track comes first"


def _video_content(path: Path, detector: FaceDetector, stream: int | None) -> VideoContent:
    times: list[float] = []  # of the first and the last frame
    count = 0
    outlines = read_frames(path, outline_px=_OUTLINE_PX, stream=stream)
    for time_s, _ in outlines:
        times = [times[0], time_s] if times else [time_s]
        count += 1
    span_s = times[-1] - times[0] if times else 0.0
    pictures = [picture for _, picture in _spread(path, outlines, count, stream)]
    faces = [detector.detect([picture])[0] for picture in pictures]
    with_face = [one for one in faces if len(one)]
    sides_px = [float(np.sqrt(areas(one.boxes).max())) for one in with_face]
    height, width = pictures[0].shape[:2] if pictures else (0, 0)
    return VideoContent(
        frames=count,
        duration_s=outlines.read_s,
        rate_hz=(count - 1) / span_s if span_s > 0 else None,
        orientation=_orientation(path, stream),
        width_px=width,
        height_px=height,
        examined=len(pictures),
        face_share=len(with_face) / len(pictures) if pictures else 0.0,
        most_faces=max((len(one) for one in faces), default=0),
        face_px=float(np.median(sides_px)) if sides_px else None,
        flags=outlines.flags,
    )


def _spread(
    path: Path, read: FrameReader, count: int, stream: int | None
) -> Iterator[tuple[float, np.ndarray]]:
    """Frames at the middle of equal parts of a video that has been read."""
    first_s = read.first_visible_s or 0.0
    wanted = min(_FRAMES_WITH_FACES, count)
    rate_hz = 2 * wanted / max(read.read_s - first_s, 1e-3)
    skip_black = read.first_visible_s is not None
    frames = read_frames(path, rate_hz, skip_black=skip_black, stream=stream)
    for number, frame in enumerate(frames):
        if number % 2 == 1 or count == 1:
            yield frame
            wanted -= 1
        if not wanted:
            break
    frames.close()


def _orientation(path: Path, stream: int | None) -> str:
    with MediaFile(path, video_stream=stream) as media:
        for frame in media.decode(media.video_stream()):
            return _TURNS[orientation(frame, path)]
    return _TURNS[False, False, False]


def _audio_content(path: Path, stream: int | None) -> AudioContent:
    peak, samples = 0.0, 0

    def measured(reader: AudioReader) -> Iterator[np.ndarray]:
        nonlocal peak, samples
        for block in reader:
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            samples += block.size
            yield block

    reader = read_audio_blocks(path, _AUDIO_HZ, _BLOCK_S, stream=stream)
    speech = detect_speech(measured(reader), _AUDIO_HZ)
    return AudioContent(
        duration_s=samples / _AUDIO_HZ,
        speech_share=speech.share,
        speech_s=speech.duration_s,
        peak_db=20 * float(np.log10(peak)) if peak > 0 else _SILENT,
        flags=reader.flags,
    )
