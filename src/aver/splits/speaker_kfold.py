"""Speaker-disjoint folds: the default for every clean result."""

from __future__ import annotations

from dataclasses import dataclass

from aver.corpora.corpus import Corpus
from aver.errors import SettingsError, SplitError
from aver.splits.leak import VALIDATION_IS_TEST, leak_sentence
from aver.splits.rule import SplitRule, speakers_of, split_rules
from aver.splits.speaker_groups import check_validation, deal, rotate, speakers_by_sex
from aver.splits.split import Fold


@split_rules.register("speaker-kfold")
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
        """Deal the speakers into groups and rotate them through the parts."""
        speakers = speakers_of(corpus, self.name)
        if len(speakers) < self.folds:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(speakers)} speakers, fewer than the "
                f"{self.folds} folds asked for. Ask for at most {len(speakers)} folds, or use "
                "'leave-one-speaker-out'."
            )
        return rotate(corpus, deal(speakers_by_sex(corpus, self.seed), self.folds), self.validation)

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """None, unless validation is the test part."""
        return (leak_sentence(VALIDATION_IS_TEST),) if self.validation == "test" else ()
