"""Rules that divide clips, not speakers: random shares, and the official subsets of a corpus."""

from __future__ import annotations

from typing import Literal

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
from aver.settings import settings
from aver.splits.rule import SplitRule, shuffled
from aver.splits.split import (
    SHARED_PERFORMANCES,
    SHARED_SPEAKERS,
    SUBSETS,
    UNKNOWN_SPEAKERS,
    VALIDATION_IS_TEST,
    Fold,
    leak_sentence,
)

_SHARES = {"60/20/20": (60, 20, 20), "80/20": (80, 0, 20)}  # percent: train, validation, test


@settings
class RandomShares(SplitRule):
    """Clips drawn at random, stratified by emotion; the subsets share speakers, and it says so.

    Parameters
    ----------
    shares : {"60/20/20", "80/20"}
        Percent of train, validation and test. 80/20 has no validation clips of its own.
    validation : {"nested", "test"}
        With 80/20 only: ``"nested"`` leaves validation empty, ``"test"`` validates on the test
        clips (LEAKS).
    by : {"performance", "clip"}
        What is drawn. ``"clip"`` may put two files of one performance in two subsets (LEAKS).
    seed : int
        Draws the order.

    Notes
    -----
    Source: 80/20 Mansouri-Benssassi & Ye (2019), section V.A; 60/20/20 Mansouri-Benssassi & Ye
    (2020), "Implementation and Network Configuration".
    """

    shares: Literal["60/20/20", "80/20"] = "60/20/20"
    validation: Literal["nested", "test"] = "nested"
    by: Literal["performance", "clip"] = "performance"
    seed: int = 0

    name = "random"
    summary = "Random 60/20/20 or 80/20, stratified by emotion; LEAKS: speakers are shared"
    source = "Mansouri-Benssassi & Ye 2019 (80/20) and 2020 (60/20/20)"

    def __post_init__(self) -> None:
        if self.validation == "test" and self.shares != "80/20":
            raise SettingsError(f"validation=test needs shares=80/20, not {self.shares}.")

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Draw one fold."""
        drawn: dict[str, list[str]] = {subset: [] for subset in SUBSETS}
        remainders = [0.0, 0.0, 0.0]  # carried from stratum to stratum, so that the sums fit too
        for _, units in sorted(self._strata(corpus).items()):
            order = shuffled(units, self.seed)
            counts = _counts(len(order), _SHARES[self.shares], remainders)
            for subset, count in zip(SUBSETS, counts, strict=True):
                drawn[subset] += [clip.clip_id for unit in order[:count] for clip in units[unit]]
                order = order[count:]
        if not (
            drawn["train"] and drawn["test"] and (drawn["validation"] or self.shares == "80/20")
        ):
            raise SplitError(
                f"The corpus at {corpus.root} has {len(corpus)} clips, too few for shares of "
                f"{self.shares}."
            )
        if self.validation == "test":
            drawn["validation"] = drawn["test"]
        return (Fold(**{subset: tuple(clip_ids) for subset, clip_ids in drawn.items()}),)

    def _strata(self, corpus: Corpus) -> dict[str, dict[str, list[Clip]]]:
        """Clips by emotion, then by what is drawn; a performance has the emotion of its first."""
        strata: dict[str, dict[str, list[Clip]]] = {}
        stratum_of: dict[str, str] = {}
        for clip in corpus:
            unit = clip.performance if self.by == "performance" else clip.clip_id
            stratum = stratum_of.setdefault(unit, clip.emotion or "")
            strata.setdefault(stratum, {}).setdefault(unit, []).append(clip)
        return strata

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """Shared speakers always; more by the settings."""
        keys = [SHARED_SPEAKERS if corpus.speakers else UNKNOWN_SPEAKERS]
        if self.by == "clip" and len({clip.performance for clip in corpus}) < len(corpus):
            keys.append(SHARED_PERFORMANCES)
        if self.validation == "test":
            keys.append(VALIDATION_IS_TEST)
        return tuple(leak_sentence(key) for key in keys)


def _counts(total: int, percents: tuple[int, ...], remainders: list[float]) -> list[int]:
    """Whole numbers near the percentages that add up to `total`; updates `remainders`."""
    wanted = [
        total * percent / 100 + remainder
        for percent, remainder in zip(percents, remainders, strict=True)
    ]
    counts = [max(0, int(share)) for share in wanted]
    by_fraction = sorted(
        range(len(percents)), key=lambda place: (counts[place] - wanted[place], -percents[place])
    )
    for place in by_fraction:
        if sum(counts) < total and percents[place]:
            counts[place] += 1
    remainders[:] = [share - count for share, count in zip(wanted, counts, strict=True)]
    return counts


@settings
class Official(SplitRule):
    """One fold that follows `Clip.subset`: for FER2013, or a table with a column ``subset``.

    Clips without a subset are left out.
    """

    name = "official"
    summary = "Train, validation and test as the corpus's authors defined them (FER2013)"
    source = "the corpus; FER2013: Goodfellow et al. 2013"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Group the clips by their subset."""
        subsets = {
            subset: tuple(clip.clip_id for clip in corpus if clip.subset == subset)
            for subset in SUBSETS
        }
        for subset in ("train", "test"):
            if not subsets[subset]:
                raise SplitError(
                    f"The corpus {corpus.name!r} at {corpus.root} has no clip in an official "
                    f"{subset} subset. Use another rule, for instance 'speaker-kfold'."
                )
        return (Fold(**subsets),)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """That speakers are unknown, if they are."""
        known = all(clip.speaker is not None for clip in corpus)
        return () if known else (leak_sentence(UNKNOWN_SPEAKERS),)
