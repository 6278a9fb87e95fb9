"""`aver train`: train one recognizer on one fold, test it there, keep its checkpoint."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from aver.cli.arguments import (
    PRESET,
    Command,
    add_system_arguments,
    corpus_of,
    feature_store,
    help_group,
    overrides_of,
    print_notes,
    print_path,
    print_unusable,
    split_of,
    typed_command,
)


def _add_arguments(parser: ArgumentParser) -> None:
    help_group(parser, "system").add_argument(
        "--preset",
        default=PRESET,
        metavar="NAME",
        help="name, see 'aver list presets', or a YAML file",
    )
    add_system_arguments(parser)
    help_group(parser, "split").add_argument(
        "--fold", type=int, default=0, metavar="N", help="fold of the split"
    )
    help_group(parser, "run").add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the training"
    )
    help_group(parser, "output").add_argument(
        "--out",
        type=Path,
        default=Path("runs/train"),
        metavar="DIR",
        help="run folder; resumed if it exists",
    )


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.reports.run_report import describe_run

    corpus = corpus_of(arguments)
    print_notes(corpus)
    result = api.train(
        corpus,
        arguments.preset,
        out=arguments.out,
        split=split_of(arguments, corpus),
        fold=arguments.fold,
        overrides=overrides_of(arguments, arguments.preset),
        seed=arguments.seed,
        adapt=arguments.adapt,
        store=feature_store(arguments),
        workers=arguments.workers,
        strict=arguments.strict,
        command=typed_command(),
    )
    print(describe_run((result.evaluation,)))
    print_unusable(corpus, result.failures)
    print_path(result.folder)
    return 0


COMMAND = Command(
    name="train",
    summary="Train and test on one fold, and keep the checkpoint.",
    example="aver train --corpus ravdess/ --preset mrpn-compact --out runs/first",
    add_arguments=_add_arguments,
    run=_run,
)
