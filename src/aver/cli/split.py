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
    help_group,
    parse_assignments,
    print_notes,
    print_path,
)
from aver.cli.several_corpora import roles_of

if TYPE_CHECKING:
    from aver.splits.split import Split


def _add_make_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser, several=True)
    split = help_group(parser, "split")
    split.add_argument(
        "--rule",
        default="",
        metavar="NAME",
        help="split rule, see 'aver list splits' (default: speaker-kfold; of several corpora "
        "leave-one-corpus-out, or cross-corpus with --train-corpus)",
    )
    add_list_argument(split, "--set", "settings of the rule, for example folds=5")
    help_group(parser, "output").add_argument(
        "--out", type=Path, default=Path("split.json"), metavar="FILE", help="file to write"
    )


def _make(arguments: Namespace) -> int:
    from aver.splits import make_split, save_split

    corpus = corpus_of(arguments)
    roles = roles_of(arguments, corpus)
    usual = "leave-one-corpus-out" if corpus.parts else "speaker-kfold"
    rule = arguments.rule or ("cross-corpus" if roles else usual)
    settings = parse_assignments(arguments.set, "--set")
    split = make_split(corpus, rule, **{**settings, **roles})
    print_notes(corpus)
    save_split(split, arguments.out)
    _print_split(split)
    print_path(arguments.out)
    return 0


def _add_check_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("split", type=Path, help="JSON file of a split")
    add_corpus_arguments(parser, several=True)


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
