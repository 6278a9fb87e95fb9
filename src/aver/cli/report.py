"""`aver report`: one page on finished runs, a model card, and every table as LaTeX and CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_run_corpus_arguments,
    open_run_corpus,
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
        help="run folders of 'aver evaluate' or 'aver train'; the first is reported, the others "
        "are compared with it",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where everything goes; default the run folder, or compared/ in it",
    )
    parser.add_argument(
        "--no-media",
        action="store_true",
        help="leave frames and spectrograms of the worst clips out, so that the page may be shared",
    )
    add_run_corpus_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.evaluation.evaluation_folder import load_evaluation

    load_evaluation(arguments.runs[0])  # that it is no run is said before anything else
    written = api.report(
        arguments.runs,
        out=arguments.out,
        corpus=_corpus(arguments, arguments.runs[0]),
        media=not arguments.no_media,
        command=typed_command(),
    )
    print(written.words)
    print_path(written.page)
    print_path(written.card)
    return 0


def _corpus(arguments: Namespace, run: Path) -> Corpus | None:
    """The run's corpus; None, and a word on it, where it is gone and nobody named one."""
    try:
        return open_run_corpus(arguments, run)
    except CorpusError as error:
        if arguments.corpus is not None:
            raise
        print(f"aver: no media in the report: {error}", file=sys.stderr)
        return None


COMMAND = Command(
    name="report",
    summary="One page on finished runs; a model card; all tables as LaTeX and CSV.",
    example="aver report runs/ravdess --no-media",
    add_arguments=_add_arguments,
    run=_run,
)
