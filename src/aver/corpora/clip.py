"""`Clip`: one performance by one speaker, its label and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from aver.execution.files import printable

INTENSITIES = ("normal", "strong", "low", "medium", "high", "unspecified")
"""How strongly an emotion is acted, in the terms of the corpora."""


@dataclass(frozen=True)
class Clip:
    """One performance: speaker, label, text and files. Media are not opened here.

    Parameters
    ----------
    clip_id : str
        Unique within the corpus and the same on every machine.
    speaker : str or None
        Speaker's id within the corpus; None if unknown (a user's own file).
    emotion : str or None
        One of `aver.emotions.EMOTIONS` or of the further labels that the corpus declares; None for
        clips without a label and for clips passed to a recognizer for prediction.
    video, audio : Path or None
        The files that hold the video (or image) and the audio; often the same file.
    performance : str
        Clips (or files) with the same performance are recordings of one event and must be in one
        subset of a split. Default: the clip's id.
    sex : {"female", "male"} or None
        As stated by the corpus.
    intensity : str or None
        One of `INTENSITIES`.
    sentence, take : str or None
        The spoken sentence (an id within the corpus) and the repetition.
    channel : {"speech", "song"}
        Vocal channel.
    votes : mapping of str to mapping of str to float
        Shares of raters' votes, by what the raters perceived (``"voice"``, ``"face"``,
        ``"both"``), then by emotion; each inner mapping sums to 1. Empty if there are none.
    aliases : tuple of str
        Names of this clip in other tables (action units, votes).
    action_units : Path or None
        A table of action units per frame, or one with a row for each of many clips.
    action_units_row : str
        Name of the clip's row in a table of many clips; empty if rows are frames.
    subset : {"train", "validation", "test"} or None
        The official subset of the clip, if the corpus has such subsets.
    face_box : (float, float, float, float) or None
        Left, top, right and bottom of the face in the image, in pixels, if the corpus states it.
    video_stream, audio_stream : int or None
        Streams of the files to read, counted from 0 among all streams of a file; None for those
        that players take.
    """

    clip_id: str
    speaker: str | None
    emotion: str | None
    video: Path | None = None
    audio: Path | None = None
    performance: str = ""
    sex: str | None = None
    intensity: str | None = None
    sentence: str | None = None
    take: str | None = None
    channel: str = "speech"
    votes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    action_units: Path | None = None
    action_units_row: str = ""
    subset: str | None = None
    face_box: tuple[float, float, float, float] | None = None
    video_stream: int | None = None
    audio_stream: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "clip_id", printable(self.clip_id))
        if self.speaker is not None:  # one person, however the system composes accents
            object.__setattr__(self, "speaker", printable(self.speaker))
        if not self.performance:
            object.__setattr__(self, "performance", self.clip_id)

    @property
    def names(self) -> tuple[str, ...]:
        """The clip's id and all its aliases: the keys to look up in other tables."""
        return (self.clip_id, *self.aliases)

    def without_labels(self) -> Clip:
        """The clip as a recognizer may see it: no emotion, intensity, votes or sentence."""
        return replace(self, emotion=None, intensity=None, sentence=None, votes={})
