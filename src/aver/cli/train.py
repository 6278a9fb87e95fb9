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
    print_final,
    print_notes,
    print_path,
    print_unusable,
    settings_for,
    split_of,
    typed_command,
)
from aver.errors import SettingsError


def _add_arguments(parser: ArgumentParser) -> None:
    help_group(parser, "system").add_argument(
        "--preset",
        default=PRESET,
        metavar="NAME",
        help="name, see 'aver list presets', or a YAML file",
    )
    add_system_arguments(parser)
    help_group(parser, "split").add_argument(
        "--fold", type=int, metavar="N", help="fold of the split (default: 0)"
    )
    run = help_group(parser, "run")
    run.add_argument(
        "--all",
        action="store_true",
        help="fit on every clip instead of on one fold: the recognizer to use. With --out RUN of "
        "'aver evaluate' and the same settings, its expected quality is that of the evaluation",
    )
    run.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the training")
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

    if arguments.all and arguments.fold is not None:
        raise SettingsError("--all fits on every clip and --fold on one fold. Give one of them.")
    corpus = corpus_of(arguments)
    print_notes(corpus)
    shared = {
        "out": arguments.out,
        "split": split_of(arguments, corpus),
        "overrides": settings_for(arguments, arguments.preset, corpus),
        "seed": arguments.seed,
        "adapt": arguments.adapt,
        "store": feature_store(arguments),
        "workers": arguments.workers,
        "strict": arguments.strict,
        "command": typed_command(arguments),
    }
    if arguments.all:
        final = api.train_final(corpus, arguments.preset, **shared)
        print_final(arguments.out)
        print_unusable(corpus, final.failures)
        print_path(final.folder)
        return 0
    result = api.train(corpus, arguments.preset, fold=arguments.fold or 0, **shared)
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
