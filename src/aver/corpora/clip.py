"""`Clip`: one performance by one speaker, and where its files lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

INTENSITIES = ("normal", "strong", "low", "medium", "high", "unspecified")
"""Words for how strongly an emotion was to be shown, as the corpora use them."""


@dataclass(frozen=True)
class Clip:
    """Who says what, how, and in which files. No media are opened here.

    Parameters
    ----------
    clip_id : str
        Unique within the corpus and stable between machines; never holds a folder of this one.
    speaker : str or None
        Speaker's id within the corpus; None where nobody knows (a user's own file).
    emotion : str or None
        One of `aver.emotions.EMOTIONS`; None for clips without a label and for clips handed to
        `predict_proba`.
    video, audio : Path or None
        The file to take pictures from, and the one to take sound from; often the same file.
    performance : str
        Clips (or files) with the same performance are one event filmed once: they must never fall
        on two sides of a split. Empty: the clip is a performance of its own.
    sex : {"female", "male"} or None
        As the corpus states it.
    intensity : str or None
        One of `INTENSITIES`.
    sentence, take : str or None
        What was said (an id within the corpus) and which repetition.
    channel : {"speech", "song"}
        Vocal channel.
    votes : mapping of str to mapping of str to float
        Shares of raters' votes, by what the raters perceived (``"voice"``, ``"face"``,
        ``"both"``), then by emotion; each inner mapping sums to 1. Empty where there are none.
    aliases : tuple of str
        Names by which other tables (action units, votes) know this clip.
    units : Path or None
        A table of action units per frame, or one with a row for each of many clips.
    action_units_row : str
        Name of the clip's row in a table of many clips; empty where rows are frames.
    subset : {"train", "validation", "test"} or None
        The subset that the corpus's authors put the clip in, where they did.
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

    def __post_init__(self) -> None:
        if not self.performance:
            object.__setattr__(self, "performance", self.clip_id)

    @property
    def names(self) -> tuple[str, ...]:
        """The clip's id and all its aliases: the keys to try in somebody else's table."""
        return (self.clip_id, *self.aliases)

    def without_labels(self) -> Clip:
        """The clip as `predict_proba` may see it: no emotion, intensity, votes or sentence."""
        return replace(self, emotion=None, intensity=None, sentence=None, votes={})
