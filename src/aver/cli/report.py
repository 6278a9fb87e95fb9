"""`aver report`: a page about finished runs, a model card, and all tables as LaTeX and CSV."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_run_corpus_arguments,
    corpus_of_run,
    help_group,
    print_path,
    typed_command,
)
from aver.errors import CorpusError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "runs",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="run folders of 'aver evaluate' or 'aver train'; the report is about the first, the "
        "others are compared with it",
    )
    output = help_group(parser, "output")
    output.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the report (default: the first run folder; with several runs, compared/ "
        "in it)",
    )
    output.add_argument(
        "--no-media",
        action="store_true",
        help="show no frames and spectrograms of clips, so that the page may be shared",
    )
    add_run_corpus_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.evaluation.evaluation_folder import load_evaluation

    load_evaluation(arguments.runs[0])  # reports a folder without an evaluation before all else
    report = api.report(
        arguments.runs,
        out=arguments.out,
        corpus=_corpus(arguments),
        media=not arguments.no_media,
        command=typed_command(arguments),
    )
    print(report.words)
    print_path(report.page)
    print_path(report.card)
    return 0


def _corpus(arguments: Namespace) -> Corpus | None:
    """The corpus of the first run; None, with a message, if it does not exist any more."""
    try:
        return corpus_of_run(arguments, arguments.runs[0])
    except CorpusError as error:
        if arguments.corpus is not None:
            raise
        print(f"aver: no audit and no media in the report: {error}", file=sys.stderr)
        return None


COMMAND = Command(
    name="report",
    summary="Write a page, a model card and all tables about finished runs.",
    example="aver report runs/ravdess --no-media",
    add_arguments=_add_arguments,
    run=_run,
)
