"""`SplitRule`: makes splits of any corpus from names alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from typing import Any, ClassVar

from aver.corpora.corpus import Corpus
from aver.corpora.keyword_settings import build_with_settings
from aver.errors import LabelError, SplitError
from aver.registry import Registry
from aver.splits.check import check_split
from aver.splits.split import Fold, Split


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
        """What the folds share, as sentences of `aver.splits.leak`; empty for a clean rule."""
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


split_rules: Registry[SplitRule] = Registry("split rule", "aver.splits")
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
