"""`aver split make | check`: which clips train, validate and test, as a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_words_argument,
    open_named_corpus,
    parse_assignments,
    print_path,
)

if TYPE_CHECKING:
    from aver.splits.split import Split


def _add_make_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser)
    parser.add_argument("--rule", default="speaker-kfold", help="see 'aver list splits'")
    add_words_argument(parser, "--set", "settings of the rule")
    parser.add_argument("--out", type=Path, default=Path("split.json"), help="file to write")


def _make(arguments: Namespace) -> int:
    from aver.splits import make_split, save_split

    corpus = open_named_corpus(arguments)
    split = make_split(corpus, arguments.rule, **parse_assignments(arguments.set, "--set"))
    save_split(split, arguments.out)
    _describe(split)
    print_path(arguments.out)
    return 0


def _add_check_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("split", type=Path, help="JSON file of a split")
    add_corpus_arguments(parser)


def _check(arguments: Namespace) -> int:
    from aver.splits import load_split

    _describe(load_split(arguments.split, open_named_corpus(arguments)))
    print("The split keeps what it declares.")
    return 0


def _describe(split: Split) -> None:
    print(f"{split.rule}, seed {split.seed}, hash {split.hash}")
    for number, fold in enumerate(split.folds):
        counts = ", ".join(f"{len(ids)} {subset}" for subset, ids in fold.subsets().items())
        print(f"  fold {number}: {counts}")
    for leak in split.leaks:
        print(f"  LEAKS {leak}")


COMMAND = Command(
    name="split",
    summary="Make a split of a corpus, or check one.",
    example="aver split make --corpus ravdess/ --rule speaker-kfold --set folds=5",
    verbs=(
        Command(
            "make",
            "Divide a corpus by a rule and write JSON that a person can read and edit.",
            "aver split make --corpus ravdess/ --rule speaker-kfold --set folds=5",
            _add_make_arguments,
            _make,
        ),
        Command(
            "check",
            "Hold a split against its corpus: unknown, doubled and shared clips are errors.",
            "aver split check split.json --corpus ravdess/",
            _add_check_arguments,
            _check,
        ),
    ),
)
