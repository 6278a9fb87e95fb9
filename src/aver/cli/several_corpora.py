"""Options that name several corpora, each with a reader and settings of its own."""

from __future__ import annotations

import re
from argparse import Namespace, _ActionsContainer
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.cli.words import add_list_argument, parse_assignments, split_list
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus

_METAVAR = "DIR|KEY=VALUE"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_OPTIONS = ("corpora", "train_corpus", "test_corpus")


def add_several_corpora_arguments(parser: _ActionsContainer) -> None:
    """Declare several corpora to join, what they are for, and how emotions are reconciled."""
    add_list_argument(
        parser,
        "--corpora",
        "instead of --corpus: folders of several corpora; each may be followed by name=NAME, "
        "reader=NAME, speakers=A,B, action_units=PATH and settings of its reader. By default each "
        "is tested in turn and the others train",
        metavar=_METAVAR,
    )
    add_list_argument(
        parser,
        "--train-corpus",
        "instead of --corpus: folders of the corpora to train on, written as for --corpora",
        metavar=_METAVAR,
    )
    add_list_argument(
        parser,
        "--test-corpus",
        "with --train-corpus: folders of the corpora to test on, which nothing else uses",
        metavar=_METAVAR,
    )
    add_label_arguments(parser, "with several corpora: ")


def add_label_arguments(parser: _ActionsContainer, when_merged: str = "") -> None:
    """Declare emotions to merge and to drop."""
    add_list_argument(
        parser,
        "--merge",
        f"{when_merged}emotions to count as another one, for example calm=neutral",
        metavar="EMOTION=EMOTION",
    )
    parser.add_argument("--drop", default="", metavar="A,B", help="emotions to leave out")


@dataclass(frozen=True)
class CorpusWords:
    """One corpus as the words of an option name it.

    Parameters
    ----------
    path : Path
    name : str
        Empty: the label of the corpus.
    reader : str or None
        None: guessed.
    speakers : tuple of str
        Empty: all.
    action_units : str
        Path of a table or folder; empty if there is none.
    settings : mapping of str to value
        Of the reader.
    """

    path: Path
    name: str = ""
    reader: str | None = None
    speakers: tuple[str, ...] = ()
    action_units: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, path: str, assignments: Sequence[str], option: str) -> CorpusWords:
        """From a path and the assignments that follow it."""
        own: dict[str, str] = {}
        others = []
        for word in assignments:
            key, _, text = word.partition("=")
            if key in ("name", "reader", "speakers", "action_units"):
                own[key] = text
            else:
                others.append(word)
        return cls(
            Path(path),
            own.get("name", ""),
            own.get("reader"),
            split_list(own.get("speakers", "")),
            own.get("action_units", ""),
            parse_assignments(others, option),
        )

    def open(self, channel: str) -> Corpus:
        """Read the corpus, with the clips that are selected."""
        from aver.corpora import open_corpus
        from aver.corpora.corpus import Selection
        from aver.corpora.user_files import attach_action_units

        corpus = open_corpus(self.path, self.reader, **self.settings)
        corpus = Selection(speakers=self.speakers, channel=channel).apply(corpus)
        return attach_action_units(corpus, self.action_units) if self.action_units else corpus


def read_corpus_words(words: Sequence[str], option: str) -> tuple[CorpusWords, ...]:
    """Read paths, each followed by its ``KEY=VALUE``.

    A path that looks like an assignment is written with a folder in front: ``./a=b``.

    Raises
    ------
    SettingsError
        If the first word is an assignment.

    Examples
    --------
    >>> words = ["ravdess/", "clips/", "name=studio", "reader=manifest", "table=all.csv"]
    >>> [(str(one.path), one.name, one.settings) for one in read_corpus_words(words, "--corpora")]
    [('ravdess', '', {}), ('clips', 'studio', {'table': 'all.csv'})]
    """
    groups: list[tuple[str, list[str]]] = []
    for word in words:
        if not _ASSIGNMENT.match(word):
            groups.append((word, []))
        elif groups:
            groups[-1][1].append(word)
        else:
            raise SettingsError(
                f"{option} takes folders, each followed by its settings; {word!r} stands before "
                f"any folder. Write a folder of that name as './{word}'."
            )
    return tuple(CorpusWords.of(path, assignments, option) for path, assignments in groups)


def named_corpora(arguments: Namespace) -> tuple[CorpusWords, ...]:
    """All corpora that ``--corpora``, or ``--train-corpus`` and ``--test-corpus``, name.

    Raises
    ------
    SettingsError
        If options contradict each other, or one of the two roles is missing.
    """
    found = {
        name: read_corpus_words(getattr(arguments, name, []), _typed(name)) for name in _OPTIONS
    }
    if found["corpora"] and (found["train_corpus"] or found["test_corpus"]):
        raise SettingsError(
            "Name corpora either with --corpora, or with --train-corpus and --test-corpus."
        )
    for one, other in (_OPTIONS[1:], _OPTIONS[:0:-1]):
        if found[one] and not found[other]:
            raise SettingsError(
                f"{_typed(one)} is given without {_typed(other)}. Name corpora for both, or all "
                "with --corpora."
            )
    return tuple(corpus for name in _OPTIONS for corpus in found[name])


def _typed(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def open_corpora(arguments: Namespace) -> Corpus:
    """Open and join all corpora that the arguments name.

    Raises
    ------
    CorpusError, LabelError
        As `aver.corpora.combine.combine`.
    SettingsError
        If an option for a single corpus is given.
    """
    from aver.corpora import combine

    for option in ("reader", "corpus_settings", "labels", "action_units"):
        if getattr(arguments, option, None):
            word = {
                "reader": "reader=NAME",
                "labels": "labels=CODE=WORD",
                "action_units": "action_units=PATH",
            }.get(option)
            raise SettingsError(
                f"{_typed(option)} is for --corpus. With several corpora write "
                f"{word or 'KEY=VALUE'} behind the folder that it is for."
            )
    given = vars(arguments)
    merge = parse_assignments(arguments.merge, "--merge")
    opened = [
        (words.name, words.open(given.get("channel", ""))) for words in named_corpora(arguments)
    ]
    selected = split_list(given.get("emotions", ""))
    drop = split_list(arguments.drop)
    if selected:
        drop += _not_among(selected, {*drop}, [corpus for _, corpus in opened], merge)
    named = [(name, corpus) if name else corpus for name, corpus in opened]
    return combine(named, merge=merge, drop=drop)


def _not_among(
    selected: Sequence[str],
    dropped: Collection[str],
    corpora: Sequence[Corpus],
    merge: Mapping[str, str],
) -> tuple[str, ...]:
    """The emotions, after merging, that are neither selected nor dropped already."""
    from aver.emotions import in_canonical_order, parse_emotion

    present = {merge.get(emotion, emotion) for corpus in corpora for emotion in corpus.classes}
    kept = {parse_emotion(word, "the selected emotions", present) for word in selected}
    return in_canonical_order(present - kept - {*dropped})


def roles_of(arguments: Namespace, corpus: Corpus) -> dict[str, tuple[str, ...]]:
    """Settings of the rule ``cross-corpus``: which corpora train and which are tested.

    Empty if no roles are given.
    """
    trained = len(read_corpus_words(getattr(arguments, "train_corpus", []), "--train-corpus"))
    names = tuple(corpus.parts)
    return {"train": names[:trained], "test": names[trained:]} if trained else {}
