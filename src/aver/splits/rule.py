"""`SplitRule` and `make_split`: divide any corpus by a rule that needs no media."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar

from aver.corpora.corpus import Corpus
from aver.errors import LabelError, SplitError
from aver.registry import Registry
from aver.settings import settings_from_mapping
from aver.splits.split import Fold, Split, check_split


class SplitRule(ABC):
    """One way to divide a corpus.

    A rule is a class decorated with `aver.settings.settings` and `split_rules.register`; its
    fields are its settings, all with defaults.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """One line for `aver list`."""
    source: ClassVar[str]
    """Where the rule comes from."""

    @abstractmethod
    def divide(self, corpus: Corpus) -> tuple[Fold, ...]:
        """Make the folds.

        Raises
        ------
        SplitError
            If the corpus does not allow it; the message says what would help.
        """

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """What the subsets share by design, as `leak_sentence` writes it; empty if nothing."""
        return ()

    def make(self, corpus: Corpus) -> Split:
        """Make the split of a corpus and check it with `check_split`.

        Raises
        ------
        LabelError
            If the labels of the corpus are all the same.
        SplitError
            If the corpus does not allow such a split.
        """
        if len(corpus.classes) == 1:
            raise LabelError(
                f"All labeled clips of the corpus at {corpus.root} are {corpus.classes[0]!r}; "
                "training needs at least two classes. Select more emotions."
            )
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}  # type: ignore[arg-type]
        seed = int(values.pop("seed", 0))
        arguments = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
        split = Split(
            rule=f"{self.name}({arguments})",
            corpus=corpus.name,
            seed=seed,
            folds=self.divide(corpus),
            leaks=self.leaks(corpus),
        )
        check_split(split, corpus)
        return split


def _shown(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


split_rules: Registry[SplitRule] = Registry(
    "split rule",
    {
        "cross-corpus": "aver.splits.corpus_rules:CrossCorpus",
        "leave-one-corpus-out": "aver.splits.corpus_rules:LeaveOneCorpusOut",
        "leave-one-speaker-out": "aver.splits.speaker_rules:LeaveOneSpeakerOut",
        "mrpn-actor-pairs": "aver.splits.speaker_rules:MrpnActorPairs",
        "official": "aver.splits.clip_rules:Official",
        "random": "aver.splits.clip_rules:RandomShares",
        "speaker-kfold": "aver.splits.speaker_rules:SpeakerKFold",
        "train-on-one-corpus": "aver.splits.corpus_rules:TrainOnOneCorpus",
    },
    "aver.splits",
)
"""All rules. ``@split_rules.register("name")`` adds one; `aver list` prints them."""


def make_split(corpus: Corpus, rule: str = "speaker-kfold", **settings: Any) -> Split:
    """Divide a corpus by a registered rule.

    Parameters
    ----------
    corpus : Corpus
    rule : str
        Registered name.
    **settings
        Settings of the rule.

    Returns
    -------
    Split

    Raises
    ------
    SettingsError
        If there is no such rule, it has no such setting, or a value is out of range.
    SplitError, LabelError
        If the corpus does not allow the split.
    """
    built: SplitRule = settings_from_mapping(split_rules.get(rule), settings, rule)
    return built.make(corpus)


_MIN_SPEAKERS_FOR_KFOLD = 10  # with fewer speakers, one per fold leaves more training data


def default_split(corpus: Corpus, seed: int = 0) -> Split:
    """Five speaker-disjoint folds with ten or more speakers, otherwise one fold per speaker.

    Of corpora that are joined, each is tested in turn and the others train.

    Parameters
    ----------
    corpus : Corpus
    seed : int

    Returns
    -------
    Split
        Clean: the speakers of training, validation and test are disjoint.

    Raises
    ------
    SplitError, LabelError
        If the corpus does not allow it, for instance with one speaker or one class.
    """
    if corpus.parts:
        return make_split(corpus, "leave-one-corpus-out", seed=seed)
    if len(corpus.speakers) >= _MIN_SPEAKERS_FOR_KFOLD:
        return make_split(corpus, "speaker-kfold", folds=5, seed=seed)
    return make_split(corpus, "leave-one-speaker-out", seed=seed)


def on_validation(split: Split) -> Split:
    """Train on the same clips, test on the validation clips, and leave out the test clips.

    For comparing many settings: whoever selects among them has seen no test clip of any fold
    that is kept. The new folds have no validation clips.

    Parameters
    ----------
    split : Split

    Returns
    -------
    Split
        Folds that would test a clip a second time are left out.

    Raises
    ------
    SplitError
        If no fold has validation clips other than its test clips.

    Examples
    --------
    >>> split = Split("by hand", "ravdess", 0, (Fold(("a",), ("b",), ("c",)),))
    >>> on_validation(split).folds[0].subsets()
    {'train': ('a',), 'validation': (), 'test': ('b',)}
    """
    folds: list[Fold] = []
    tested: set[str] = set()
    for fold in split.folds:
        validation = set(fold.validation) - set(fold.test)
        if validation and not validation & tested:
            folds.append(Fold(fold.train, (), tuple(validation)))
            tested |= validation
    if not folds:
        raise SplitError(
            f"No fold of the split {split.rule!r} has validation clips other than its test clips. "
            "Use a rule with validation=nested."
        )
    return replace(
        split,
        rule=f"{split.rule}, tested on validation clips, test clips unused",
        folds=tuple(folds),
    )


def shuffled(items: Iterable[str], seed: int) -> list[str]:
    """Order distinct texts by a hash of seed and text.

    Unlike the order of a random generator, this order is the same in every version of every
    library, and adding a clip does not change the order of the others.

    Examples
    --------
    >>> shuffled("abc", 0) == shuffled("cab", 0)
    True
    """
    return sorted(
        items, key=lambda item: (hashlib.sha256(f"{seed}:{item}".encode()).digest(), item)
    )
