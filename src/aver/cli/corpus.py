"""`aver corpus list | info | check | synthesize`: corpora and their folders."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from aver.cli.arguments import (
    Command,
    add_list_argument,
    add_reader_arguments,
    add_workers_argument,
    parse_assignments,
    print_path,
    reader_settings,
)

_SHOWN = 10


def _list(arguments: Namespace) -> int:
    from aver.corpora import corpora

    width = max(len(name) for name in corpora.names())
    for name in corpora.names():
        print(f"{name:<{width}}  {corpora.get(name).info.title}")
    return 0


def _add_info_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", help="name of a corpus, see 'aver corpus list'")


def _info(arguments: Namespace) -> int:
    from aver.corpora import corpora

    info = corpora.get(arguments.name).info
    print(f"{info.title}\n")
    for label, text in (
        ("License", info.license),
        ("Cite as", info.citation),
        ("Get it from", info.url),
    ):
        print(f"{label + ':':<13}{text}")
    if info.further_emotions:
        print(f"{'Labels:':<13}besides the eight: {', '.join(info.further_emotions)}")
    print(f"\nExpected tree:\n{info.tree}")
    return 0


def _add_check_arguments(parser: ArgumentParser) -> None:
    add_reader_arguments(parser)
    parser.add_argument("--all", action="store_true", help="list every finding")


def _check(arguments: Namespace) -> int:
    from aver.corpora.check import check_corpus
    from aver.corpora.other_files import by_suffix

    check = check_corpus(arguments.corpus, arguments.reader, **reader_settings(arguments))
    print(f"{len(check.corpus)} clips of {check.corpus.name} at {check.corpus.root}")
    print(f"{check.with_video} with video, {check.with_audio} with audio")
    for title, counts in (
        ("class", check.by_class),
        ("speaker", check.by_speaker),
        ("sex", check.by_sex),
        ("channel", check.by_channel),
        ("subset", check.by_subset),
    ):
        if set(counts) != {"unknown"}:
            print(f"by {title}: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    for reason, count in check.left_out.items():
        print(f"left out: {count} clips: {reason}")
    if check.others:
        print(by_suffix(check.others, "besides"))
    for title, entries in (
        ("missing from the complete corpus", check.missing),
        ("identical files", [" = ".join(group) for group in check.doubled]),
        (
            "identical files with different labels",
            [" = ".join(group) for group in check.contradicting],
        ),
        ("unusable", [f"{problem.path}: {problem.reason}" for problem in check.problems]),
    ):
        _print_entries(title, entries, len(entries) if arguments.all else _SHOWN)
    if check.is_complete:
        print("No file is missing, repeated or unusable.")
    return 0


def _print_entries(title: str, entries: Sequence[str], shown: int) -> None:
    if entries:
        print(f"{title}: {len(entries)}")
    for entry in entries[:shown]:
        print(f"  {entry}")
    if len(entries) > shown:
        print(f"  ... and {len(entries) - shown} more (--all shows them)")


def _add_synthesize_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("out", type=Path, help="folder to write")
    add_list_argument(
        parser, "--set", "settings, for example speakers=24 takes=2 noise=0.5 seed=1 cue=moment"
    )
    add_workers_argument(parser)


def _synthesize(arguments: Namespace) -> int:
    from aver.compatibility import upgrade
    from aver.settings import settings_from_mapping
    from aver.synthesis.corpus import synthesize
    from aver.synthesis.settings import SynthesisSettings

    given = upgrade(parse_assignments(arguments.set, "--set"))  # names of version 0.1
    settings = settings_from_mapping(SynthesisSettings, given)
    print_path(synthesize(arguments.out, settings, workers=arguments.workers))
    return 0


COMMAND = Command(
    name="corpus",
    summary="List corpora, describe one, check a folder, or synthesize one.",
    example="aver corpus check --corpus ravdess/",
    subcommands=(
        Command("list", "List the corpus readers.", "aver corpus list", run=_list),
        Command(
            "info",
            "License, citation, source and expected files of a corpus.",
            "aver corpus info ravdess",
            _add_info_arguments,
            _info,
        ),
        Command(
            "check",
            "Count the clips by class and speaker; list what is missing or wrong.",
            "aver corpus check --corpus ravdess/",
            _add_check_arguments,
            _check,
        ),
        Command(
            "synthesize",
            "Write a corpus of rendered faces and synthetic voices.",
            "aver corpus synthesize my-corpus --set speakers=8 seed=1",
            _add_synthesize_arguments,
            _synthesize,
            aliases=("synthesise",),  # codespell:ignore
        ),
    ),
)
