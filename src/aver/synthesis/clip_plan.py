"""`ClipPlan`: the clips of a synthetic corpus, and the table that lists them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from aver.synthesis.settings import SynthesisSettings

COLUMNS = ("clip_id", "speaker", "sex", "emotion", "intensity", "sentence", "take", "file", "units")


@dataclass(frozen=True)
class ClipPlan:
    """Who says what and how in one clip, and where its files go (relative to the corpus)."""

    number: int
    """The speaker's number, from 1."""
    speaker: str
    sex: str
    emotion: str
    intensity: str
    sentence: int
    take: int

    @property
    def clip_id(self) -> str:
        """For instance ``"s01-happy-2-1"``: speaker, emotion, sentence, take."""
        return f"{self.speaker}-{self.emotion}-{self.sentence}-{self.take}"

    @property
    def file(self) -> str:
        """Path of the media file, with forward slashes."""
        return f"clips/{self.speaker}/{self.clip_id}.mp4"

    @property
    def units(self) -> str:
        """Path of the action-unit track, with forward slashes."""
        return f"units/{self.speaker}/{self.clip_id}.csv"


def plan_clips(settings: SynthesisSettings) -> list[ClipPlan]:
    """All clips of the corpus, sorted by speaker.

    Half of the clips of every emotion but neutral are of strong intensity.

    Examples
    --------
    >>> plan_clips(SynthesisSettings(speakers=1))[0].clip_id
    's01-neutral-1-1'
    """
    plans = []
    for number in range(1, settings.speakers + 1):
        for order, emotion in enumerate(settings.emotions):
            for sentence in range(1, settings.sentences + 1):
                for take in range(1, settings.takes + 1):
                    strong = (number + order + sentence + take) % 2 == 1 and emotion != "neutral"
                    plans.append(
                        ClipPlan(
                            number=number,
                            speaker=f"s{number:02d}",
                            sex="female" if number % 2 == 1 else "male",
                            emotion=emotion,
                            intensity="strong" if strong else "normal",
                            sentence=sentence,
                            take=take,
                        )
                    )
    return plans


def clips_csv(plans: Sequence[ClipPlan]) -> str:
    """The table ``clips.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for plan in plans:
        writer.writerow([getattr(plan, column) for column in COLUMNS])
    return text.getvalue()
