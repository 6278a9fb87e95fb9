"""Folds made of groups of speakers: the part that several rules share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.splits.shuffle import shuffled
from aver.splits.split import Fold

VALIDATION = ("nested", "test")
"""Where validation clips come from: speakers of their own, or (LEAKS) the test clips."""


def check_validation(value: str) -> None:
    """Refuse a validation setting that no rule knows."""
    if value not in VALIDATION:
        raise SettingsError(f"validation is {value!r}; choose 'nested' or 'test' (which leaks).")


def speakers_by_sex(corpus: Corpus, seed: int | None = None) -> dict[str, list[str]]:
    """Speakers of each sex that occurs; unknown sexes under ``""``.

    Parameters
    ----------
    corpus : Corpus
    seed : int, optional
        Shuffles each list; without it they are sorted.
    """
    sexes = {clip.speaker: clip.sex or "" for clip in corpus if clip.speaker is not None}
    groups: dict[str, list[str]] = {}
    for speaker in sorted(sexes):
        groups.setdefault(sexes[speaker], []).append(speaker)
    if seed is not None:
        groups = {sex: shuffled(speakers, seed) for sex, speakers in groups.items()}
    return dict(sorted(groups.items()))


def deal(groups: Mapping[str, Sequence[str]], hands: int) -> list[list[str]]:
    """Deal speakers into so many groups, as evenly as can be within each sex and in all.

    Examples
    --------
    >>> deal({"female": ["a", "b", "c"], "male": ["x", "y", "z"]}, 2)
    [['a', 'c', 'y'], ['b', 'x', 'z']]
    """
    dealt: list[list[str]] = [[] for _ in range(hands)]
    turn = 0  # carried on from one sex to the next, so that group sizes differ by one at most
    for speakers in groups.values():
        for speaker in speakers:
            dealt[turn % hands].append(speaker)
            turn += 1
    return dealt


def fold_of_speakers(corpus: Corpus, validation: Iterable[str], test: Iterable[str]) -> Fold:
    """The fold in which these speakers validate and test, and all others train."""
    validating, testing = set(validation), set(test)
    return Fold(
        train=tuple(clip.clip_id for clip in corpus if clip.speaker not in validating | testing),
        validation=tuple(clip.clip_id for clip in corpus if clip.speaker in validating),
        test=tuple(clip.clip_id for clip in corpus if clip.speaker in testing),
    )


def rotate(corpus: Corpus, groups: Sequence[Sequence[str]], validation: str) -> tuple[Fold, ...]:
    """One fold per group: it tests; the next one, or with ``"test"`` the same one, validates."""
    step = 0 if validation == "test" else 1
    return tuple(
        fold_of_speakers(corpus, groups[(number + step) % len(groups)], group)
        for number, group in enumerate(groups)
    )
