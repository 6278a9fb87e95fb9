"""Pairs of one woman and one man: the folds of the MRPN paper on RAVDESS."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from aver.corpora.corpus import Corpus
from aver.errors import SplitError
from aver.splits.leak import VALIDATION_IS_TEST, leak_sentence
from aver.splits.rule import SplitRule, speakers_of, split_rules
from aver.splits.speaker_groups import check_validation, rotate, speakers_by_sex
from aver.splits.split import Fold

_LEAST_PAIRS = {"nested": 3, "test": 2}


@split_rules.register("mrpn-actor-pairs")
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
        """Pair the speakers and rotate the pairs through the parts."""
        speakers_of(corpus, self.name)
        pairs = _pairs(speakers_by_sex(corpus))
        if len(pairs) < _LEAST_PAIRS[self.validation]:
            raise SplitError(
                f"The corpus at {corpus.root} has {len(corpus.speakers)} speakers, which make "
                f"{len(pairs)} pairs; mrpn-actor-pairs needs {_LEAST_PAIRS[self.validation]} with "
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
