"""`aver split make | check`: which clips train, validate and test, as a JSON file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_list_argument,
    corpus_of,
    parse_assignments,
    print_path,
)

if TYPE_CHECKING:
    from aver.splits.split import Split


def _add_make_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser)
    parser.add_argument(
        "--rule", default="speaker-kfold", metavar="NAME", help="split rule, see 'aver list splits'"
    )
    add_list_argument(parser, "--set", "settings of the rule, for example folds=5")
    parser.add_argument(
        "--out", type=Path, default=Path("split.json"), metavar="FILE", help="file to write"
    )


def _make(arguments: Namespace) -> int:
    from aver.splits import make_split, save_split

    settings = parse_assignments(arguments.set, "--set")
    split = make_split(corpus_of(arguments), arguments.rule, **settings)
    save_split(split, arguments.out)
    _print_split(split)
    print_path(arguments.out)
    return 0


def _add_check_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("split", type=Path, help="JSON file of a split")
    add_corpus_arguments(parser)


def _check(arguments: Namespace) -> int:
    from aver.splits import load_split

    _print_split(load_split(arguments.split, corpus_of(arguments)))
    print("The split has no leak that it does not declare.")
    return 0


def _print_split(split: Split) -> None:
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
    subcommands=(
        Command(
            "make",
            "Split a corpus by a rule and write JSON that can be read and edited.",
            "aver split make --corpus ravdess/ --rule speaker-kfold --set folds=5",
            _add_make_arguments,
            _make,
        ),
        Command(
            "check",
            "Check a split against its corpus; unknown, repeated and shared clips are errors.",
            "aver split check split.json --corpus ravdess/",
            _add_check_arguments,
            _check,
        ),
    ),
)
