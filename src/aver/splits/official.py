"""The parts that a corpus's authors made."""

from __future__ import annotations

from dataclasses import dataclass

from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.splits.leak import UNKNOWN_SPEAKERS, leak_sentence
from aver.splits.rule import SplitRule, split_rules
from aver.splits.split import PARTS, Fold


@split_rules.register("official")
@dataclass(frozen=True)
class Official(SplitRule):
    """One fold that follows `Clip.part`: for FER2013, or a table with a column ``part``.

    Clips without a part are left out.
    """

    name = "official"
    summary = "Train, validation and test as the corpus's authors made them (FER2013)"
    source = "the corpus; FER2013: Goodfellow et al. 2013"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Sort the clips into their parts."""
        parts = {
            part: tuple(clip.clip_id for clip in corpus if clip.part == part) for part in PARTS
        }
        for part in ("train", "test"):
            if not parts[part]:
                raise SplitError(
                    f"The corpus {corpus.name!r} at {corpus.root} has no clip in an official "
                    f"{part} part. Use another rule, 'speaker-kfold' for instance."
                )
        return (Fold(**parts),)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """That speakers are unknown, where they are."""
        known = all(clip.speaker is not None for clip in corpus)
        return () if known else (leak_sentence(UNKNOWN_SPEAKERS),)
