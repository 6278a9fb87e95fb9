"""`aver evaluate`: train and test on every fold and seed, with baselines, and write a report."""

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
        action="append",
        metavar="NAME",
        help="name, see 'aver list presets', or a YAML file; given again, further systems on the "
        f"same folds, which are compared with the first (default: {PRESET})",
    )
    add_system_arguments(parser)
    help_group(parser, "run").add_argument(
        "--seeds", type=int, default=1, metavar="N", help="use the seeds 0 to N-1"
    )
    help_group(parser, "system").add_argument(
        "--baselines",
        default="all",
        choices=("all", "quick", "none"),
        metavar="{all,quick,none}",
        help="quick: majority class and statistics; all: also unimodal networks and late fusion",
    )
    help_group(parser, "split").add_argument(
        "--leaking",
        action="store_true",
        help="use the protocol of the system's paper, which leaks; results are marked LEAKS",
    )
    help_group(parser, "run").add_argument(
        "--final",
        action="store_true",
        help="afterwards fit the system on every clip: the recognizer that 'aver predict "
        "--checkpoint RUN' uses",
    )
    output = help_group(parser, "output")
    output.add_argument(
        "--name",
        default="",
        metavar="TEXT",
        help="name of the system in tables (default: the preset and the settings changed)",
    )
    output.add_argument(
        "--corpus-title",
        default="",
        metavar="TEXT",
        help="name of the corpus in titles and captions (default: the name of its reader)",
    )
    output.add_argument(
        "--out",
        type=Path,
        default=Path("runs/evaluate"),
        metavar="DIR",
        help="run folder; resumed if it exists",
    )


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.reports.run_report import describe_run

    corpus = corpus_of(arguments)
    print_notes(corpus)
    preset, *further = arguments.preset or [PRESET]
    if len({preset, *further}) <= len(further):
        raise SettingsError("A preset is named twice with --preset. Name each system once.")
    results = api.evaluate(
        corpus,
        preset,
        out=arguments.out,
        split=split_of(arguments, corpus),
        overrides=settings_for(arguments, preset, corpus),
        name=arguments.name,
        corpus_title=arguments.corpus_title,
        further={name: settings_for(arguments, name, corpus) for name in further},
        seeds=tuple(range(arguments.seeds)),
        baselines=arguments.baselines,
        leaking=arguments.leaking,
        final=arguments.final,
        adapt=arguments.adapt,
        store=feature_store(arguments),
        workers=arguments.workers,
        strict=arguments.strict,
        command=typed_command(arguments),
    )
    print(describe_run(tuple(result.evaluation for result in results)))
    print_unusable(corpus, results[0].failures)
    if arguments.final:
        print_final(results[0].folder)
    print_path(results[0].folder / "report.html")
    return 0


COMMAND = Command(
    name="evaluate",
    summary="Train and test on every fold, with baselines and a report.",
    example="aver evaluate --corpus ravdess/ --split speaker-kfold --seeds 3 --out runs/ravdess",
    add_arguments=_add_arguments,
    run=_run,
)
