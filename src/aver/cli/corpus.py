"""`aver corpus list | info | check | synthesize`: corpora there are, and what a folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_reader_arguments,
    add_words_argument,
    parse_assignments,
    print_path,
)
from aver.execution.tasks import usable_cores

_SHOWN = 10


def _list(arguments: Namespace) -> int:
    from aver.corpora import corpora

    width = max(len(name) for name in corpora.names())
    for name in corpora.names():
        print(f"{name:<{width}}  {corpora.get(name).info.title}")
    return 0


def _add_info_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="registered name, see 'aver corpus list'")


def _info(arguments: Namespace) -> int:
    from aver.corpora import corpora

    info = corpora.get(arguments.name).info
    print(f"{info.title}\n")
    for label, text in (
        ("Licence", info.license),
        ("Cite as", info.citation),
        ("Get it from", info.url),
    ):
        print(f"{label + ':':<13}{text}")
    print(f"\nExpected tree:\n{info.tree}")
    return 0


def _check(arguments: Namespace) -> int:
    from aver.corpora.check import check_corpus

    settings = parse_assignments(arguments.corpus_settings, "--corpus-settings")
    found = check_corpus(arguments.corpus, arguments.reader, **settings)
    print(f"{len(found.corpus)} clips of {found.corpus.name} at {found.corpus.root}")
    print(f"{found.with_video} with pictures, {found.with_audio} with sound")
    for title, counts in (
        ("class", found.by_class),
        ("speaker", found.by_speaker),
        ("sex", found.by_sex),
        ("channel", found.by_channel),
        ("subset", found.by_subset),
    ):
        if set(counts) == {"unknown"}:
            continue
        print(f"by {title}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    _print_list("missing from the complete corpus", found.missing, arguments.all)
    _print_list("the same bytes", [" = ".join(group) for group in found.doubled], arguments.all)
    _print_list(
        "the same bytes with two labels",
        [" = ".join(group) for group in found.contradicting],
        arguments.all,
    )
    _print_list(
        "could not be used",
        [f"{problem.path}: {problem.reason}" for problem in found.problems],
        arguments.all,
    )
    if found.is_complete:
        print("Nothing is missing, doubled or wrong.")
    return 0


def _print_list(title: str, entries: Sequence[str], everything: bool) -> None:
    """A count and the entries; ten of them, unless all are asked for."""
    if not entries:
        return
    shown = entries if everything else entries[:_SHOWN]
    print(f"{title}: {len(entries)}")
    for entry in shown:
        print(f"  {entry}")
    if len(shown) < len(entries):
        print(f"  ... and {len(entries) - len(shown)} more (--all shows them)")


def _add_check_arguments(parser: ArgumentParser) -> None:
    add_reader_arguments(parser)
    parser.add_argument("--all", action="store_true", help="list every finding")


def _add_synthesise_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="folder to write, made where missing")
    add_words_argument(
        parser, "--set", "settings, for instance speakers=24 takes=2 noise=0.5 seed=1 cue=moment"
    )
    parser.add_argument("--workers", type=int, default=usable_cores(), metavar="N")


def _synthesize(arguments: Namespace) -> int:
    from aver.settings import settings_from_mapping
    from aver.synthesis.corpus import synthesize
    from aver.synthesis.settings import SynthesisSettings

    given = parse_assignments(arguments.set, "--set")
    settings = settings_from_mapping(SynthesisSettings, given)
    folder = synthesize(arguments.out, settings, workers=arguments.workers)
    print_path(folder)
    return 0


COMMAND = Command(
    name="corpus",
    summary="List corpora, describe one, check a folder, or synthesize one.",
    example="aver corpus check --corpus ravdess/",
    verbs=(
        Command("list", "Name every corpus reader.", "aver corpus list", run=_list),
        Command(
            "info",
            "Licence, citation, where to get it, and the tree expected.",
            "aver corpus info ravdess",
            _add_info_arguments,
            _info,
        ),
        Command(
            "check",
            "Count clips by class and speaker; say what is missing or wrong.",
            "aver corpus check --corpus ravdess/",
            _add_check_arguments,
            _check,
        ),
        Command(
            "synthesize",
            "Write a corpus of rendered faces and synthetic voices.",
            "aver corpus synthesize my-corpus --set speakers=8 seed=1",
            _add_synthesise_arguments,
            _synthesize,
        ),
    ),
)
