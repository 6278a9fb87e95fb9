"""`aver evaluate`: every fold and seed, baselines beside, intervals by speaker, a report."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import Command, open_named_corpus, print_path, typed_command
from aver.cli.train import add_system_arguments, overrides_of, print_unusable, split_of


def _add_arguments(parser: ArgumentParser) -> None:
    add_system_arguments(parser)
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0 on")
    parser.add_argument(
        "--baselines",
        default="all",
        choices=("all", "quick", "none"),
        help="quick: majority and statistics; all: unimodal networks and late fusion too",
    )
    parser.add_argument(
        "--leaking", action="store_true", help="the system's own leaking protocol, marked LEAKS"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/evaluate"), help="run folder; resumed if it exists"
    )


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.features.store import FeatureStore
    from aver.reports.run_report import describe_run

    corpus = open_named_corpus(arguments)
    results = api.evaluate(
        corpus,
        arguments.preset,
        out=arguments.out,
        split=split_of(arguments, corpus),
        overrides=overrides_of(arguments),
        seeds=tuple(range(arguments.seeds)),
        baselines=arguments.baselines,
        leaking=arguments.leaking,
        adapt=arguments.adapt,
        store=FeatureStore(arguments.cache),
        workers=arguments.workers,
        strict=arguments.strict,
        command=typed_command(),
    )
    print(describe_run(tuple(result.evaluation for result in results)))
    print_unusable(corpus, results[0].failures)
    print_path(results[0].folder / "report.html")
    return 0


COMMAND = Command(
    name="evaluate",
    summary="Fit and test on every fold; baselines, intervals by speaker, a report.",
    example="aver evaluate --corpus ravdess/ --split speaker-kfold --seeds 3 --out runs/ravdess",
    add_arguments=_add_arguments,
    run=_run,
)
