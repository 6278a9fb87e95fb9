"""`aver robustness`: the accuracy of a finished run on degraded audio and video."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_list_argument,
    add_run_corpus_arguments,
    add_work_arguments,
    corpus_of_run,
    feature_store,
    print_path,
    split_list,
)
from aver.compatibility import upgrade_name
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.evaluation.robustness import RobustnessPlan


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="run folder of 'aver evaluate' or 'aver train'")
    parser.add_argument(
        "--kinds",
        default="",
        metavar="A,B",
        help="of: white-noise, babble, blur, low-light, occlusion, dropped-frames, lost-modality, "
        "offset (default: all that change the system's input)",
    )
    add_list_argument(
        parser,
        "--levels",
        "levels that replace the default ones, for example white-noise=20,0 blur=1,2",
        metavar="KIND=A,B",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the noise and all random choices"
    )
    add_run_corpus_arguments(parser)
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.evaluation.evaluation_folder import load_evaluation
    from aver.evaluation.robustness import FOLDER
    from aver.reports.robustness_report import MeasuredRun, robustness_tables
    from aver.reports.table import as_text

    plan = plan_of(arguments)
    run = load_evaluation(arguments.run)
    degraded = api.robustness(
        arguments.run,
        corpus_of_run(arguments, arguments.run),
        plan,
        store=feature_store(arguments),
        workers=arguments.workers,
    )
    for table in robustness_tables([MeasuredRun(run, degraded)]):
        print(as_text(table))
    print_path(arguments.run / FOLDER)
    unreadable = {name: why for kind in degraded for name, why in kind.unreadable.items()}
    if unreadable:
        print(f"{len(unreadable)} clips could not be read and are left out:", file=sys.stderr)
    for name, why in unreadable.items():
        print(f"  {name}: {why}", file=sys.stderr)
    return 0


def plan_of(arguments: Namespace) -> RobustnessPlan:
    """The plan of ``--kinds``, ``--levels`` and ``--seed``.

    Raises
    ------
    SettingsError
        If there is no such kind, or a level does not fit its kind.
    """
    from aver.evaluation.robustness import RobustnessPlan
    from aver.media.degradation import DEGRADATIONS, degradation

    levels = {}
    for item in arguments.levels:
        name, equals, listed = item.partition("=")
        given = split_list(listed)
        if not equals or not given:
            raise SettingsError(f"--levels takes KIND=A,B, for example blur=1,2, not {item!r}.")
        kind = degradation(name)
        levels[kind] = tuple(dict.fromkeys(kind.read_level(upgrade_name(level)) for level in given))
    named = {*map(degradation, split_list(arguments.kinds)), *levels} or set(DEGRADATIONS)
    return RobustnessPlan(
        {kind: levels.get(kind, kind.levels) for kind in DEGRADATIONS if kind in named},
        arguments.seed,
    )


COMMAND = Command(
    name="robustness",
    summary="Test a finished run on degraded audio and video.",
    example="aver robustness runs/ravdess --kinds white-noise,lost-modality",
    add_arguments=_add_arguments,
    run=_run,
)
