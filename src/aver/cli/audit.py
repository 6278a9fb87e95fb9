"""`aver audit`: does a split leak? The exit status is 1 if it does."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_labels_argument,
    add_list_argument,
    add_workers_argument,
    parse_assignments,
    print_path,
    reader_settings,
    recorded_corpus,
)

if TYPE_CHECKING:
    from aver.audit import AuditReport
    from aver.corpora.corpus import Corpus


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "split",
        nargs="+",
        type=Path,
        help="a split (JSON, CSV, JSON lines), one list per subset, a folder of lists, a folder "
        "with media in train/ and test/, a Kaldi folder, or a run folder of aver",
    )
    parser.add_argument(
        "--corpus", type=Path, metavar="DIR", help="folder of the media: also compare their content"
    )
    parser.add_argument(
        "--reader", metavar="NAME", help="corpus reader (default: guessed from the file names)"
    )
    add_list_argument(parser, "--corpus-settings", "settings of the reader")
    add_labels_argument(parser)
    parser.add_argument(
        "--pattern",
        default="",
        metavar="PATTERN",
        help="pattern of the file names, for example '{speaker}_{sentence}_{emotion}.wav'",
    )
    add_list_argument(
        parser,
        "--column",
        "the column names for speaker, emotion, sex, sentence, performance, subset, fold and path",
        metavar="WHAT=NAME",
    )
    parser.add_argument("--names-only", action="store_true", help="with --corpus: open no media")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--sarif", type=Path, metavar="FILE", help="also write SARIF 2.1.0")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--all", action="store_true", help="list every speaker and clip")
    add_workers_argument(parser)


def _run(arguments: Namespace) -> int:
    from aver.execution.files import write_text

    report = _audit(arguments)
    if arguments.json:
        print(report.json(), end="")
    else:
        print(report.text(shown=1_000_000 if arguments.all else 5), end="")
    for path, render in ((arguments.sarif, report.sarif), (arguments.junit, report.junit)):
        if path is not None:
            write_text(path, render())
            if not arguments.json:
                print_path(path)
    return report.exit_code


def _audit(arguments: Namespace) -> AuditReport:
    from aver.audit import ReadingSettings, audit_media, audit_run, audit_split, read_listing
    from aver.audit.audit_run import is_run_folder

    corpus = _corpus(arguments)
    if len(arguments.split) == 1 and is_run_folder(arguments.split[0]):
        run = arguments.split[0]
        return audit_run(run, corpus if arguments.corpus else _corpus_of_run(run))
    columns = parse_assignments(arguments.column, "--column")
    settings = ReadingSettings(
        arguments.pattern, {what: str(name) for what, name in columns.items()}
    )
    listing = read_listing(arguments.split, corpus, settings)
    if arguments.corpus is None or arguments.names_only:
        return audit_split(listing)
    return audit_media(listing, corpus or arguments.corpus, workers=arguments.workers)


def _corpus_of_run(run: Path) -> Corpus | None:
    """The corpus of the run, which names the speakers; None if it cannot be read any more."""
    from aver.errors import AverError

    try:
        return recorded_corpus(run)
    except AverError:
        return None


def _corpus(arguments: Namespace) -> Corpus | None:
    """The corpus, if there is a reader for the folder; any other folder only holds media files."""
    from aver.corpora import open_corpus
    from aver.corpora.corpus import guess_reader
    from aver.errors import CorpusError

    if arguments.corpus is None:
        return None
    if not arguments.corpus.exists():
        raise CorpusError(f"There is no corpus at {arguments.corpus}: the path does not exist.")
    if arguments.reader is None:
        try:
            guess_reader(arguments.corpus)
        except CorpusError:
            return None
    return open_corpus(arguments.corpus, arguments.reader, **reader_settings(arguments))


COMMAND = Command(
    name="audit",
    summary="Find leaks in any split; exit status 1 if there is one.",
    example="aver audit split.json --corpus ravdess/",
    add_arguments=_add_arguments,
    run=_run,
)
