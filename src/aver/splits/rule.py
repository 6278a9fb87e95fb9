"""`SplitRule`: makes splits of any corpus from names alone."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, ClassVar

from aver.corpora.corpus import Corpus
from aver.errors import LabelError, SplitError
from aver.registry import Registry
from aver.settings import build_with_settings
from aver.splits.split import Fold, Split, check_split


def shuffled(items: Iterable[str], seed: int) -> list[str]:
    """Order distinct texts by a hash of seed and text.

    Unlike a random generator this needs no promise of any library about its stream, and one clip
    more or less does not change the order of the others.

    Parameters
    ----------
    items : iterable of str
    seed : int

    Examples
    --------
    >>> shuffled("abc", 0) == shuffled("cab", 0)
    True
    """
    return sorted(
        items, key=lambda item: (hashlib.sha256(f"{seed}:{item}".encode()).digest(), item)
    )


class SplitRule(ABC):
    """One way to divide a corpus: subclass, decorate with `split_rules.register`, done.

    A rule is a frozen dataclass; its fields are its settings, all with defaults.
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
            If the corpus does not allow it; the message says what would.
        """

    def leaks(self, corpus: Corpus) -> tuple[str, ...]:
        """What the folds share, as sentences of `aver.splits.split`; empty for a clean rule."""
        return ()

    def make(self, corpus: Corpus) -> Split:
        """Make the split of one corpus, held against the laws of `check_split`.

        Raises
        ------
        LabelError
            If the corpus has labels, and all its clips the same one.
        SplitError
            If the corpus does not allow such a split.
        """
        if len(corpus.classes) == 1:
            raise LabelError(
                f"All labelled clips of the corpus at {corpus.root} are {corpus.classes[0]!r}: "
                "with one class there is nothing to learn. Read more emotions."
            )
        settings = {entry.name: getattr(self, entry.name) for entry in fields(self)}  # type: ignore[arg-type]
        seed = int(settings.pop("seed", 0))
        words = ", ".join(f"{name}={value}" for name, value in settings.items())
        split = Split(
            rule=f"{self.name}({words})",
            corpus=corpus.name,
            seed=seed,
            folds=self.divide(corpus),
            leaks=self.leaks(corpus),
        )
        check_split(split, corpus)
        return split


split_rules: Registry[SplitRule] = Registry(
    "split rule",
    {
        "leave-one-speaker-out": "aver.splits.speaker_rules:LeaveOneSpeakerOut",
        "mrpn-actor-pairs": "aver.splits.speaker_rules:MrpnActorPairs",
        "official": "aver.splits.clip_rules:Official",
        "random": "aver.splits.clip_rules:RandomShares",
        "speaker-kfold": "aver.splits.speaker_rules:SpeakerKFold",
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
        If there is no such rule, or it has no such setting.
    SplitError, LabelError
        If the corpus does not allow it.
    """
    built = build_with_settings(split_rules.get(rule), settings, f"The split rule {rule!r}")
    return built.make(corpus)


def speakers_of(corpus: Corpus, rule: str) -> tuple[str, ...]:
    """The speakers that a rule divides by.

    Raises
    ------
    SplitError
        If a clip has no speaker, or all clips have the same one.
    """
    nameless = next((clip for clip in corpus if clip.speaker is None), None)
    if nameless is not None:
        raise SplitError(
            f"The rule {rule!r} needs to know who speaks, but clip {nameless.clip_id!r} of the "
            f"corpus at {corpus.root} has no speaker. Name the speakers, or use the rule 'random' "
            "or 'official'."
        )
    if len(corpus.speakers) == 1:
        raise SplitError(
            f"The corpus at {corpus.root} has one speaker only, {corpus.speakers[0]!r}: no test "
            "with an unknown speaker is possible. Add speakers, or use the rule 'random', which "
            "says that it leaks."
        )
    return corpus.speakers


_SPEAKERS_FOR_FOLDS = 10  # below, a fold per speaker leaves more speech to learn from


def default_split(corpus: Corpus, seed: int = 0) -> Split:
    """Five speaker-disjoint folds from ten speakers on, else one fold per speaker.

    Parameters
    ----------
    corpus : Corpus
    seed : int

    Returns
    -------
    Split
        Clean: speakers of training, validation and test are disjoint.

    Raises
    ------
    SplitError, LabelError
        If the corpus does not allow it, with one speaker or one class for instance.
    """
    if len(corpus.speakers) >= _SPEAKERS_FOR_FOLDS:
        return make_split(corpus, "speaker-kfold", folds=5, seed=seed)
    return make_split(corpus, "leave-one-speaker-out", seed=seed)


ON_VALIDATION = "answered for validation clips, test clips unused"
"""What the rule of such a split says of itself."""


def on_validation(split: Split) -> Split:
    """Train as before, answer for the validation clips, and leave the test clips alone.

    For looking at many settings: whoever chooses among them has not seen the test clips of any
    fold that is kept. Nothing is left to choose by, so that the validation subset is empty.

    Parameters
    ----------
    split : Split

    Returns
    -------
    Split
        Of rotated folds, those that would answer for a clip a second time are left out.

    Raises
    ------
    SplitError
        If no fold has validation clips of its own.

    Examples
    --------
    >>> split = Split("by hand", "ravdess", 0, (Fold(("a",), ("b",), ("c",)),))
    >>> on_validation(split).folds[0].subsets()
    {'train': ('a',), 'validation': (), 'test': ('b',)}
    """
    folds: list[Fold] = []
    predicted: set[str] = set()
    for fold in split.folds:
        own = set(fold.validation) - set(fold.test)
        if own and not own & predicted:
            folds.append(Fold(fold.train, (), tuple(own)))
            predicted |= own
    if not folds:
        raise SplitError(
            f"No fold of the split {split.rule!r} has validation clips that are not its test clips "
            "too. Use a rule with validation=nested."
        )
    return replace(split, rule=f"{split.rule}, {ON_VALIDATION}", folds=tuple(folds))
