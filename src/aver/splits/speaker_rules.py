"""Speaker-disjoint folds: the default for every clean result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
from aver.splits.rule import SplitRule, shuffled, speakers_of
from aver.splits.split import VALIDATION_IS_TEST, Fold, leak_sentence

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


_SPEAKERS_FOR_TWO = 6  # with fewer, two validation speakers would cost over a third of training


@dataclass(frozen=True)
class LeaveOneSpeakerOut(SplitRule):
    """Every speaker tests once, alone; one or two others validate, the rest trains.

    Validation speakers rotate, so that everybody validates about equally often, and alternate
    between the sexes.

    Parameters
    ----------
    validation_speakers : int >= 0
        How many validate in each fold; 0 takes two (one of each sex) from six speakers on, else
        one.
    validation : {"nested", "test"}
        ``"test"`` validates on the test speaker: LEAKS; `validation_speakers` is then not used.
    seed : int
        Draws the order of the rotation.
    """

    validation_speakers: int = 0
    validation: str = "nested"
    seed: int = 0

    name = "leave-one-speaker-out"
    summary = "One test speaker per fold; validation speakers rotate, balanced by sex"
    source = "leave-one-subject-out cross-validation, with nested validation speakers"

    def __post_init__(self) -> None:
        check_validation(self.validation)
        if self.validation_speakers < 0:
            raise SettingsError(
                f"validation_speakers is {self.validation_speakers}; give 0 (automatic) or more."
            )

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """One fold per speaker, in the order of the speakers' ids."""
        speakers = speakers_of(corpus, self.name)
        if self.validation == "test":
            return tuple(fold_of_speakers(corpus, [one], [one]) for one in speakers)
        wanted = self.validation_speakers or (2 if len(speakers) >= _SPEAKERS_FOR_TWO else 1)
        if len(speakers) < wanted + 2:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(speakers)} speakers: with one for test and "
                f"{wanted} for validation none is left for training. Add speakers, or ask for "
                "fewer validation_speakers."
            )
        by_sex = list(speakers_by_sex(corpus, self.seed).values())
        return tuple(
            fold_of_speakers(corpus, _validators(by_sex, number, one, wanted), [one])
            for number, one in enumerate(speakers)
        )

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """None, unless validation is the test speaker."""
        return (leak_sentence(VALIDATION_IS_TEST),) if self.validation == "test" else ()


def _validators(by_sex: list[list[str]], number: int, tested: str, wanted: int) -> list[str]:
    """The validation speakers of fold `number`: sexes in turn, each sex rotated by the fold."""
    queues = [
        [group[(number + place) % len(group)] for place in range(len(group))] for group in by_sex
    ]
    queues = [[speaker for speaker in queue if speaker != tested] for queue in queues]
    chosen: list[str] = []
    turn = number  # so that with one validation speaker the sexes alternate from fold to fold
    while len(chosen) < wanted:
        queue = queues[turn % len(queues)]
        if queue:
            chosen.append(queue.pop(0))
        turn += 1
    return chosen


_MIN_PAIRS = {"nested": 3, "test": 2}


@dataclass(frozen=True)
class MrpnActorPairs(SplitRule):
    """Speakers in pairs of the two sexes, in the order of their ids; each pair tests once.

    On RAVDESS these are actors (1, 2), (3, 4), ... (23, 24): 12 folds. Elsewhere the first woman
    is paired with the first man, and so on; where one sex has more speakers, or sexes are unknown,
    the rest pair among themselves, and a last single speaker joins the last pair.

    Parameters
    ----------
    validation : {"nested", "test"}
        ``"nested"``: the next pair validates (clean). ``"test"``: the paper's protocol, LEAKS.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.1 and Table 1: 12 folds of two actors, where the fold
    that selects the network is the fold that is scored.
    """

    validation: str = "nested"

    name = "mrpn-actor-pairs"
    summary = "Pairs of one woman and one man, as in the MRPN paper; clean unless validation=test"
    source = "Chang & Skarbek 2021, section 4.1 and Table 1"

    def __post_init__(self) -> None:
        check_validation(self.validation)

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Pair the speakers and rotate the pairs through the subsets."""
        speakers_of(corpus, self.name)
        pairs = _pairs(speakers_by_sex(corpus))
        if len(pairs) < _MIN_PAIRS[self.validation]:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(corpus.speakers)} speakers, which make "
                f"{len(pairs)} pairs; mrpn-actor-pairs needs {_MIN_PAIRS[self.validation]} with "
                f"validation={self.validation}. Use 'leave-one-speaker-out'."
            )
        return rotate(corpus, pairs, self.validation)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """None, unless validation is the test pair."""
        return (leak_sentence(VALIDATION_IS_TEST),) if self.validation == "test" else ()


def _pairs(by_sex: dict[str, list[str]]) -> list[list[str]]:
    women, men = by_sex.get("female", []), by_sex.get("male", [])
    mixed = [
        [speaker for speaker in pair if speaker is not None] for pair in zip_longest(women, men)
    ]
    pairs = [sorted(pair) for pair in mixed if len(pair) == 2]
    rest = sorted([pair[0] for pair in mixed if len(pair) == 1] + by_sex.get("", []))
    pairs += [rest[place : place + 2] for place in range(0, len(rest), 2)]
    if len(pairs) > 1 and len(pairs[-1]) == 1:
        single = pairs.pop()
        pairs[-1] += single
    return sorted(pairs)


@dataclass(frozen=True)
class SpeakerKFold(SplitRule):
    """Speakers in `folds` groups; each group tests once, the next one validates, the rest trains.

    Parameters
    ----------
    folds : int >= 2
        At least 3 with nested validation.
    validation : {"nested", "test"}
        ``"test"`` validates on the test group itself: the protocol of many papers, LEAKS.
    seed : int
        Draws who is in which group. Sexes are dealt evenly.

    Notes
    -----
    With ``folds=10, validation="test"`` this is the protocol of Birhala et al. (2020), section IV:
    10 folds by actor, and what selects the epoch is scored.
    """

    folds: int = 5
    validation: str = "nested"
    seed: int = 0

    name = "speaker-kfold"
    summary = "Speaker-disjoint train, validation and test; every speaker tested once"
    source = "nested cross-validation by speaker; with validation=test Birhala et al. 2020, sec. IV"

    def __post_init__(self) -> None:
        check_validation(self.validation)
        least = 2 if self.validation == "test" else 3
        if self.folds < least:
            raise SettingsError(
                f"speaker-kfold needs at least {least} folds with validation={self.validation}, "
                f"not {self.folds}."
            )

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Deal the speakers into groups and rotate them through the subsets."""
        speakers = speakers_of(corpus, self.name)
        if len(speakers) < self.folds:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(speakers)} speakers, fewer than the "
                f"{self.folds} folds asked for. Ask for at most {len(speakers)} folds, or use "
                "'leave-one-speaker-out'."
            )
        return rotate(corpus, deal(speakers_by_sex(corpus, self.seed), self.folds), self.validation)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """None, unless validation is the test subset."""
        return (leak_sentence(VALIDATION_IS_TEST),) if self.validation == "test" else ()
