"""The subsets that a corpus's authors made."""

from __future__ import annotations

from dataclasses import dataclass

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
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


@dataclass(frozen=True)
class RandomShares(SplitRule):
    """Clips drawn at random, stratified by emotion; speakers are on all sides, and it says so.

    Parameters
    ----------
    shares : {"60/20/20", "80/20"}
        Percent of train, validation and test. 80/20 has no validation clips of its own.
    validation : {"nested", "test"}
        With 80/20 only: ``"nested"`` leaves validation empty, ``"test"`` validates on the test
        clips (LEAKS).
    by : {"performance", "clip"}
        What is drawn. ``"clip"`` may put two files of one performance on two sides (LEAKS).
    seed : int
        Draws the order.

    Notes
    -----
    Source: 80/20 Mansouri-Benssassi & Ye (2019), section V.A; 60/20/20 Mansouri-Benssassi & Ye
    (2020), "Implementation and Network Configuration".
    """

    shares: str = "60/20/20"
    validation: str = "nested"
    by: str = "performance"
    seed: int = 0

    name = "random"
    summary = "Random 60/20/20 or 80/20, stratified by emotion; LEAKS: speakers are shared"
    source = "Mansouri-Benssassi & Ye 2019 (80/20) and 2020 (60/20/20)"

    def __post_init__(self) -> None:
        for setting, choices in (
            ("shares", tuple(_SHARES)),
            ("validation", ("nested", "test")),
            ("by", ("performance", "clip")),
        ):
            if getattr(self, setting) not in choices:
                raise SettingsError(
                    f"{setting} is {getattr(self, setting)!r}; choose {' or '.join(choices)}."
                )
        if self.validation == "test" and self.shares != "80/20":
            raise SettingsError(f"validation=test goes with shares=80/20, not {self.shares}.")

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Draw one fold."""
        drawn: tuple[list[str], list[str], list[str]] = ([], [], [])
        strata: dict[str, dict[str, list[Clip]]] = {}
        for clip in corpus:
            unit = clip.performance if self.by == "performance" else clip.clip_id
            # All clips of a performance follow the emotion of its first.
            stratum = next((label for label, units in strata.items() if unit in units), None)
            label = stratum if stratum is not None else clip.emotion or ""
            strata.setdefault(label, {}).setdefault(unit, []).append(clip)
        owed = [0.0, 0.0, 0.0]  # carried from stratum to stratum, so that the sums fit too
        for _, units in sorted(strata.items()):
            order = shuffled(units, self.seed)
            for place, count in enumerate(_counts(len(order), _SHARES[self.shares], owed)):
                drawn[place].extend(clip.clip_id for unit in order[:count] for clip in units[unit])
                order = order[count:]
        train, validation, test = drawn
        if not (train and test and (validation or self.shares == "80/20")):
            raise SplitError(
                f"The corpus at {corpus.root} has {len(corpus)} clips, too few for shares of "
                f"{self.shares}."
            )
        if self.validation == "test":
            validation = test
        return (Fold(tuple(train), tuple(validation), tuple(test)),)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """Shared speakers always; more by the settings."""
        keys = [SHARED_SPEAKERS if corpus.speakers else UNKNOWN_SPEAKERS]
        if self.by == "clip" and len({clip.performance for clip in corpus}) < len(corpus):
            keys.append(SHARED_PERFORMANCES)
        if self.validation == "test":
            keys.append(VALIDATION_IS_TEST)
        return tuple(leak_sentence(key) for key in keys)


def _counts(total: int, percents: tuple[int, ...], owed: list[float]) -> list[int]:
    """Whole numbers near the percentages that add up to `total`; fractions stay in `owed`."""
    wanted = [total * percent / 100 + debt for percent, debt in zip(percents, owed, strict=True)]
    counts = [max(0, int(share)) for share in wanted]
    by_fraction = sorted(
        range(len(percents)), key=lambda place: (counts[place] - wanted[place], -percents[place])
    )
    for place in by_fraction:
        if sum(counts) < total and percents[place]:
            counts[place] += 1
    owed[:] = [share - count for share, count in zip(wanted, counts, strict=True)]
    return counts


@dataclass(frozen=True)
class Official(SplitRule):
    """One fold that follows `Clip.subset`: for FER2013, or a table with a column ``subset``.

    Clips without a subset are left out.
    """

    name = "official"
    summary = "Train, validation and test as the corpus's authors made them (FER2013)"
    source = "the corpus; FER2013: Goodfellow et al. 2013"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Sort the clips into their subsets."""
        subsets = {
            subset: tuple(clip.clip_id for clip in corpus if clip.subset == subset)
            for subset in SUBSETS
        }
        for subset in ("train", "test"):
            if not subsets[subset]:
                raise SplitError(
                    f"The corpus {corpus.name!r} at {corpus.root} has no clip in an official "
                    f"{subset} subset. Use another rule, 'speaker-kfold' for instance."
                )
        return (Fold(**subsets),)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """That speakers are unknown, where they are."""
        known = all(clip.speaker is not None for clip in corpus)
        return () if known else (leak_sentence(UNKNOWN_SPEAKERS),)
