"""Leave one speaker out: as many folds as speakers."""

from __future__ import annotations

from dataclasses import dataclass

from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
from aver.splits.leak import VALIDATION_IS_TEST, leak_sentence
from aver.splits.rule import SplitRule, speakers_of, split_rules
from aver.splits.speaker_groups import check_validation, fold_of_speakers, speakers_by_sex
from aver.splits.split import Fold

_SPEAKERS_FOR_TWO = 6  # with fewer, two validation speakers would cost over a third of training


@split_rules.register("leave-one-speaker-out")
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
