"""`check_files`: what aver sees in files, and how predictions from them are flagged."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.errors import AverError
from aver.execution.files import printable

if TYPE_CHECKING:
    from aver.features.store import FeatureStore
    from aver.media.description import AudioContent, MediaDescription, Track, VideoContent
    from aver.models.base.recognizer import Recognizer


@dataclass(frozen=True)
class FileCheck:
    """What aver sees in one file.

    Parameters
    ----------
    media : MediaDescription
        Container, tracks, and the content of the chosen ones.
    label : str
        Predicted emotion; empty if there is none.
    coverage : dict of str to float
        Share of the file that the recognizer used, by modality.
    flags : tuple of str
        Of the prediction.
    problems : tuple of str
        Whole sentences: why the file, or a track of it, cannot be read, or the file is not
        predicted.
    """

    media: MediaDescription
    label: str
    coverage: dict[str, float]
    flags: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there is a prediction."""
        return bool(self.label)

    def to_json(self) -> dict[str, Any]:
        """As JSON values: the fields of the class, with the path as text."""
        values = asdict(self)
        media = values.pop("media")
        media.pop("problems")
        return {**media, "path": printable(str(self.media.path)), **values}


def check_files(
    paths: Sequence[Path],
    recognizer: Recognizer,
    store: FeatureStore,
    *,
    video_stream: int | None = None,
    audio_stream: int | None = None,
) -> Iterator[FileCheck]:
    """Look into files and the files of folders, and predict them.

    Parameters
    ----------
    paths : sequence of Path
        Of a folder the same files are taken as `aver.corpora.user_files.load_clips` takes.
    recognizer : Recognizer
        A trained one.
    store : FeatureStore
    video_stream, audio_stream : int, optional
        Streams to read, see `aver.media.media_file.MediaFile`.

    Yields
    ------
    FileCheck
        One per file; what cannot be read in a folder, or a folder without media, has ``problems``.
    """
    from aver.corpora.user_files import load_clips
    from aver.media.description import MediaDescription

    streams = {"video_stream": video_stream, "audio_stream": audio_stream}
    for path in paths:
        if not path.is_dir():
            yield check_file(path, recognizer, store, **streams)
            continue
        try:
            found = load_clips([path])
        except AverError as error:
            yield FileCheck(MediaDescription(path), "", {}, (), (str(error),))
            continue
        for clip in found:
            file = clip.video or clip.audio
            assert file is not None
            yield check_file(file, recognizer, store, **streams)
        for problem in found.problems:
            yield FileCheck(MediaDescription(Path(problem.path)), "", {}, (), (problem.reason,))


def check_file(
    path: Path,
    recognizer: Recognizer,
    store: FeatureStore,
    *,
    video_stream: int | None = None,
    audio_stream: int | None = None,
) -> FileCheck:
    """Look into a file, and predict it.

    Parameters
    ----------
    path : Path
        A picture, a video or an audio file; broken files are described as far as possible.
    recognizer : Recognizer
        A trained one.
    store : FeatureStore
    video_stream, audio_stream : int, optional
        Streams to read, see `aver.media.media_file.MediaFile`.
    """
    from aver.media.description import describe_media
    from aver.media.media_file import TruncatedMediaWarning
    from aver.models.base.predict_files import predict_files

    media = describe_media(path, video_stream=video_stream, audio_stream=audio_stream)
    if not media.is_readable:
        return FileCheck(media, "", {}, (), media.problems)
    problems = list(media.problems)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TruncatedMediaWarning)  # flagged
            found = predict_files(
                recognizer, [path], store, video_stream=video_stream, audio_stream=audio_stream
            )
    except AverError as error:
        return FileCheck(media, "", {}, (), (*problems, str(error)))
    problems += [problem.reason for problem in found.problems]
    prediction = found.prediction
    if not any(found.clips):
        return FileCheck(media, "", {}, (), tuple(dict.fromkeys(problems)))
    return FileCheck(
        media,
        label=prediction.labels[0],
        coverage={name: round(float(share[0]), 3) for name, share in prediction.coverage.items()},
        flags=prediction.flags[0] if prediction.flags else (),
        problems=tuple(dict.fromkeys(problems)),
    )


def checks_as_json(checks: Sequence[FileCheck]) -> str:
    """One JSON array with an object per file."""
    return json.dumps([check.to_json() for check in checks], indent=2, ensure_ascii=False) + "\n"


def checks_as_table(checks: Sequence[FileCheck]) -> str:
    """For a terminal: a block of lines per file."""
    return "\n".join(_block(check) for check in checks)


def _block(check: FileCheck) -> str:
    media = check.media
    lines = [printable(str(media.path))]
    if media.container:
        stated = f", {media.duration_s:.2f} s by its header" if media.duration_s else ""
        size = f", {media.size_bytes:,} bytes" if media.size_bytes is not None else ""
        lines.append(f"  container    {media.container}{size}{stated}")
    for track in media.tracks:
        lines.append(f"  track {track.index:<5}  {_track(track)}")
    if media.video is not None:
        lines += [f"  video        {line}" for line in _video(media.video)]
    if media.audio is not None:
        lines.append(f"  audio        {_audio(media.audio)}")
    if check.is_usable:
        used = " ".join(f"{name} {share:.0%}" for name, share in check.coverage.items())
        lines.append(f"  prediction   {check.label}; used: {used}")
    elif media.is_readable:
        lines.append("  prediction   (none)")
    if media.is_readable:
        lines.append(f"  flags        {'; '.join(check.flags) or 'none'}")
    lines += [f"  problem      {problem}" for problem in check.problems]
    return "\n".join(lines) + "\n"


def _track(track: Track) -> str:
    facts = [f"{track.kind} {track.codec or '(no decoder)'}"]
    if track.width_px and track.height_px:
        facts.append(f"{track.width_px} x {track.height_px} px")
    if track.rate_hz:
        facts.append(f"{track.rate_hz:g} {'frames/s' if track.kind == 'video' else 'Hz'}")
    if track.channels:
        facts.append(f"{track.channels} channel{'s' if track.channels > 1 else ''}")
    if track.start_s:
        facts.append(f"starts at {track.start_s:.2f} s")
    if track.duration_s:
        facts.append(f"{track.duration_s:.2f} s")
    facts += [text for text in (track.language, track.title) if text]
    if track.is_default:
        facts.append("default")
    return f"{', '.join(facts)} -> {'read' if track.is_chosen else 'not read'}: {track.why}"


def _video(video: VideoContent) -> list[str]:
    rate = f" at {video.rate_hz:.2f} frames/s" if video.rate_hz else ""
    frames = f"{video.frames:,} frame{'s' if video.frames != 1 else ''}"
    shown = f"{video.width_px} x {video.height_px} px, {video.orientation}"
    with_face = round(video.face_share * video.examined)
    faces = f"face in {with_face} of {video.examined} frames examined"
    if video.face_px is not None:
        most = "" if video.most_faces == 1 else f", up to {video.most_faces} faces"
        faces += f", {video.face_px:.0f} px wide{most}"
    return [f"{video.duration_s:.2f} s by content, {frames}{rate}, {shown}", faces]


def _audio(audio: AudioContent) -> str:
    return (
        f"{audio.duration_s:.2f} s by content, {audio.speech_share:.0%} speech "
        f"({audio.speech_s:.2f} s), peak {audio.peak_db:.1f} dB"
    )
