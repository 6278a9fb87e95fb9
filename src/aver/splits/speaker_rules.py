"""Speaker-disjoint folds: the rules for speaker-independent results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Annotated, Literal

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
from aver.settings import Field, settings
from aver.splits.rule import SplitRule, shuffled
from aver.splits.split import VALIDATION_IS_TEST, Fold, leak_sentence

Validation = Literal["nested", "test"]
"""Where validation clips come from: other speakers, or (LEAKS) the test clips."""


@settings
class SpeakerKFold(SplitRule):
    """Speakers in `folds` groups; each group is tested once, and the next one validates.

    Parameters
    ----------
    folds : int >= 2
        At least 3 with nested validation.
    validation : {"nested", "test"}
        ``"test"`` validates on the test group: the protocol of many papers, LEAKS.
    seed : int
        Draws the groups. The sexes are spread evenly.

    Notes
    -----
    With ``folds=10, validation="test"`` this is the protocol of Birhala et al. (2020), section IV:
    10 folds by actor, and the clips that select the epoch are scored.
    """

    folds: int = 5
    validation: Validation = "nested"
    seed: int = 0

    name = "speaker-kfold"
    summary = "Speaker-disjoint train, validation and test; every speaker tested once"
    source = "nested cross-validation by speaker; with validation=test Birhala et al. 2020, sec. IV"

    def __post_init__(self) -> None:
        minimum = 2 if self.validation == "test" else 3
        if self.folds < minimum:
            raise SettingsError(
                f"speaker-kfold needs at least {minimum} folds with validation={self.validation}, "
                f"not {self.folds}."
            )

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Deal the speakers into groups and rotate the groups through the subsets."""
        speakers = _speakers(corpus, self.name)
        if len(speakers) < self.folds:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(speakers)} speakers, fewer than the "
                f"{self.folds} folds asked for. Ask for at most {len(speakers)} folds, or use "
                "'leave-one-speaker-out'."
            )
        groups = deal(speakers_by_sex(corpus, self.seed), self.folds)
        return _rotate(corpus, groups, self.validation)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """Nothing, unless validation is the test subset."""
        return _leaks(self.validation)


_MIN_SPEAKERS_FOR_TWO = 6  # with fewer, two validation speakers take over a third of training


@settings
class LeaveOneSpeakerOut(SplitRule):
    """Every speaker is tested once, alone; one or two others validate, the rest trains.

    Validation speakers rotate, so that all validate about equally often, and alternate between
    the sexes.

    Parameters
    ----------
    validation_speakers : int >= 0
        Validation speakers per fold; 0 takes two (one of each sex) with six or more speakers,
        otherwise one.
    validation : {"nested", "test"}
        ``"test"`` validates on the test speaker: LEAKS; `validation_speakers` is then not used.
    seed : int
        Draws the order of the rotation.
    """

    validation_speakers: Annotated[int, Field(ge=0)] = 0
    validation: Validation = "nested"
    seed: int = 0

    name = "leave-one-speaker-out"
    summary = "One test speaker per fold; validation speakers rotate, balanced by sex"
    source = "leave-one-subject-out cross-validation, with nested validation speakers"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """One fold per speaker, in the order of the speakers' ids."""
        speakers = _speakers(corpus, self.name)
        if self.validation == "test":
            return tuple(_fold(corpus, [one], [one]) for one in speakers)
        count = self.validation_speakers or (2 if len(speakers) >= _MIN_SPEAKERS_FOR_TWO else 1)
        if len(speakers) < count + 2:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(speakers)} speakers: with one for test and "
                f"{count} for validation none is left for training. Add speakers, or ask for "
                "fewer validation_speakers."
            )
        by_sex = list(speakers_by_sex(corpus, self.seed).values())
        return tuple(
            _fold(corpus, sexes_in_turn(by_sex, number, count, without=one), [one])
            for number, one in enumerate(speakers)
        )

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """Nothing, unless validation is the test speaker."""
        return _leaks(self.validation)


def sexes_in_turn(
    by_sex: Sequence[Sequence[str]], fold: int, count: int, without: str = ""
) -> list[str]:
    """Draw speakers: the sexes in turn, each sex rotated by the number of the fold.

    Parameters
    ----------
    by_sex : sequence of sequence of str
        Speakers of each sex.
    fold : int >= 0
    count : int
        At most the number of speakers.
    without : str
        A speaker who is not drawn.

    Examples
    --------
    >>> sexes_in_turn([["f1", "f2"], ["m1", "m2", "m3"]], 0, 3)
    ['f1', 'm1', 'f2']
    """
    queues = [[*group[fold % len(group) :], *group[: fold % len(group)]] for group in by_sex]
    queues = [[speaker for speaker in queue if speaker != without] for queue in queues]
    chosen: list[str] = []
    turn = fold  # so that with one validation speaker the sexes alternate from fold to fold
    while len(chosen) < count:
        queue = queues[turn % len(queues)]
        if queue:
            chosen.append(queue.pop(0))
        turn += 1
    return chosen


_MIN_PAIRS = {"nested": 3, "test": 2}


@settings
class MrpnActorPairs(SplitRule):
    """Speakers in pairs of the two sexes, in the order of their ids; each pair is tested once.

    On RAVDESS these are actors (1, 2), (3, 4), ... (23, 24): 12 folds. In other corpora the first
    woman is paired with the first man, and so on. If one sex has more speakers, or sexes are
    unknown, the remaining speakers form pairs, and a last single speaker joins the last pair.

    Parameters
    ----------
    validation : {"nested", "test"}
        ``"nested"``: the next pair validates (clean). ``"test"``: the paper's protocol, LEAKS.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.1 and Table 1: 12 folds of two actors; the fold that
    selects the network is the fold that is scored.
    """

    validation: Validation = "nested"

    name = "mrpn-actor-pairs"
    summary = "Pairs of one woman and one man, as in the MRPN paper; clean unless validation=test"
    source = "Chang & Skarbek 2021, section 4.1 and Table 1"

    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Pair the speakers and rotate the pairs through the subsets."""
        _speakers(corpus, self.name)
        pairs = _pairs(speakers_by_sex(corpus))
        if len(pairs) < _MIN_PAIRS[self.validation]:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(corpus.speakers)} speakers, which make "
                f"{len(pairs)} pairs; mrpn-actor-pairs needs {_MIN_PAIRS[self.validation]} with "
                f"validation={self.validation}. Use 'leave-one-speaker-out'."
            )
        return _rotate(corpus, pairs, self.validation)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """Nothing, unless validation is the test pair."""
        return _leaks(self.validation)


def _pairs(by_sex: Mapping[str, Sequence[str]]) -> list[list[str]]:
    women, men = by_sex.get("female", []), by_sex.get("male", [])
    mixed = [
        [speaker for speaker in pair if speaker is not None] for pair in zip_longest(women, men)
    ]
    pairs = [sorted(pair) for pair in mixed if len(pair) == 2]
    rest = sorted([*(pair[0] for pair in mixed if len(pair) == 1), *by_sex.get("", [])])
    pairs += [rest[start : start + 2] for start in range(0, len(rest), 2)]
    if len(pairs) > 1 and len(pairs[-1]) == 1:
        single = pairs.pop()
        pairs[-1] += single
    return sorted(pairs)


def deal(groups: Mapping[str, Sequence[str]], hands: int) -> list[list[str]]:
    """Deal speakers into `hands` groups, as evenly as possible within each sex and overall.

    Examples
    --------
    >>> deal({"female": ["a", "b", "c"], "male": ["x", "y", "z"]}, 2)
    [['a', 'c', 'y'], ['b', 'x', 'z']]
    """
    # One sequence over the sexes, so that group sizes differ by one at most.
    speakers = [speaker for group in groups.values() for speaker in group]
    return [speakers[hand::hands] for hand in range(hands)]


def _speakers(corpus: Corpus, rule: str) -> tuple[str, ...]:
    """The speakers that a rule divides by; an error if a clip has none, or all have the same."""
    clip = next((clip for clip in corpus if clip.speaker is None), None)
    if clip is not None:
        raise SplitError(
            f"The rule {rule!r} divides by speaker, but clip {clip.clip_id!r} of the corpus at "
            f"{corpus.root} has no speaker. Name the speakers, or use the rule 'random' or "
            "'official'."
        )
    if len(corpus.speakers) == 1:
        raise SplitError(
            f"The corpus at {corpus.root} has only one speaker, {corpus.speakers[0]!r}, so that a "
            "test with an unknown speaker is not possible. Add speakers, or use the rule "
            "'random', which declares its leak."
        )
    return corpus.speakers


def speakers_by_sex(clips: Iterable[Clip], seed: int | None = None) -> dict[str, list[str]]:
    """Speakers by sex (``""`` if unknown), sorted, or shuffled by a seed."""
    sexes = {clip.speaker: clip.sex or "" for clip in clips if clip.speaker is not None}
    groups = {
        sex: sorted(speaker for speaker in sexes if sexes[speaker] == sex)
        for sex in sorted(set(sexes.values()))
    }
    if seed is not None:
        groups = {sex: shuffled(speakers, seed) for sex, speakers in groups.items()}
    return groups


def _rotate(
    corpus: Corpus, groups: Sequence[Sequence[str]], validation: Validation
) -> tuple[Fold, ...]:
    """One fold per group, which is tested; the next group, or the same one, validates."""
    step = 0 if validation == "test" else 1
    return tuple(
        _fold(corpus, groups[(number + step) % len(groups)], group)
        for number, group in enumerate(groups)
    )


def _fold(corpus: Corpus, validation: Collection[str], test: Collection[str]) -> Fold:
    """The fold in which these speakers validate and are tested, and all others train."""
    others = {*validation, *test}
    return Fold(
        train=tuple(clip.clip_id for clip in corpus if clip.speaker not in others),
        validation=tuple(clip.clip_id for clip in corpus if clip.speaker in validation),
        test=tuple(clip.clip_id for clip in corpus if clip.speaker in test),
    )


def _leaks(validation: Validation) -> tuple[str, ...]:
    return (leak_sentence(VALIDATION_IS_TEST),) if validation == "test" else ()
