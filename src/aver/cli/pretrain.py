"""`aver pretrain`: faces from pictures, voices from speakers, to start other trainings from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import (
    Command,
    add_corpus_arguments,
    add_work_arguments,
    open_named_corpus,
    parse_assignments,
    print_path,
)


def _add_shared(parser: ArgumentParser, out: str) -> None:
    add_corpus_arguments(parser)
    parser.add_argument("--preset", default="compact", help="compact, paper, or a YAML file")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings that replace the preset's, for instance training.epochs=10",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path(out), help="run folder; resumed if it exists"
    )
    add_work_arguments(parser)


def _add_visual_arguments(parser: ArgumentParser) -> None:
    _add_shared(parser, "runs/pretrain-visual")


def _run_visual(arguments: Namespace) -> int:
    from aver.evaluation.experiment import command_line
    from aver.pretraining.read_settings import read_settings
    from aver.pretraining.visual import pretrain_visual
    from aver.pretraining.visual_settings import VisualSettings
    from aver.splits import make_split

    corpus = open_named_corpus(arguments)
    result = pretrain_visual(
        corpus,
        make_split(corpus, "official"),
        read_settings(
            VisualSettings, "visual", arguments.preset, parse_assignments(arguments.set, "--set")
        ),
        out=arguments.out,
        seed=arguments.seed,
        workers=arguments.workers,
        command=command_line(["aver", *sys.argv[1:]]),
    )
    print(_describe_visual(result.card))
    print_path(result.folder)
    return 0


def _describe_visual(card: dict[str, Any]) -> str:
    lines = [f"Pictures: {_counted(card['pictures'])}."]
    for part, faults in card["set_aside"].items():
        if faults:
            lines.append(f"Set aside in {part}: {_counted(faults)}.")
    metrics = card["metrics"]
    for name, words in (
        ("validation", "validation (everything was chosen on it)"),
        ("test", "test, as published"),
        ("test_without_doubtful", "test without doubtful pictures"),
    ):
        share = metrics[name]
        lines.append(
            f"Accuracy, {words}: {share['value']:.1%} "
            f"[{share['low']:.1%}, {share['high']:.1%}], {share['pictures']} pictures."
        )
    recalls = ", ".join(f"{name} {share:.0%}" for name, share in metrics["test_recall"].items())
    return "\n".join([*lines, f"Recall on test: {recalls}."])


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


VISUAL = Command(
    name="visual",
    summary="A face network from labelled pictures, such as FER2013.",
    example="aver pretrain visual --corpus fer2013.tar --preset compact --out runs/faces",
    add_arguments=_add_visual_arguments,
    run=_run_visual,
)

COMMAND = Command(
    name="pretrain",
    summary="Teach an extractor faces or voices before it sees a corpus of clips.",
    example="aver pretrain visual --corpus fer2013.tar --out runs/faces",
    verbs=(VISUAL,),
)
