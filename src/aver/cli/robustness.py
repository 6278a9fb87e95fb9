"""`aver robustness`: how far a finished run holds when sound and pictures get worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_run_corpus_arguments,
    add_words_argument,
    add_work_arguments,
    open_run_corpus,
    parse_words,
    print_path,
)
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
        "offset; default all that the system can tell",
    )
    add_words_argument(
        parser,
        "--levels",
        "levels in place of the usual ones, for instance white-noise=20,0 blur=1,2",
        metavar="KIND=A,B",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the noise and whatever is drawn")
    add_run_corpus_arguments(parser)
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.evaluation.evaluation_folder import load_evaluation
    from aver.evaluation.robustness import FOLDER
    from aver.features.store import FeatureStore
    from aver.reports.robustness_report import MeasuredRun, robustness_tables
    from aver.reports.table import as_text

    plan = plan_of(arguments)
    run = load_evaluation(arguments.run)
    damaged = api.robustness(
        arguments.run,
        open_run_corpus(arguments, arguments.run),
        plan,
        store=FeatureStore(arguments.cache),
        workers=arguments.workers,
    )
    for table in robustness_tables([MeasuredRun(run, damaged)]):
        print(as_text(table))
    print_path(arguments.run / FOLDER)
    return 0


def plan_of(arguments: Namespace) -> RobustnessPlan:
    """What ``--kinds``, ``--levels`` and ``--seed`` ask for.

    Raises
    ------
    SettingsError
        If there is no such kind, or a level is none of that kind.
    """
    from aver.evaluation.robustness import RobustnessPlan
    from aver.media.degradation import DEGRADATIONS, degradation

    levels = {}
    for word in arguments.levels:
        name, equals, listed = word.partition("=")
        words = parse_words(listed)
        if not equals or not words:
            raise SettingsError(f"--levels takes KIND=A,B, for instance blur=1,2, not {word!r}.")
        kind = degradation(name)
        levels[kind] = tuple(dict.fromkeys(kind.read_level(level) for level in words))
    named = [degradation(name) for name in parse_words(arguments.kinds)]
    kinds = list(dict.fromkeys([*named, *levels])) or list(DEGRADATIONS)
    ordered = [kind for kind in DEGRADATIONS if kind in kinds]
    return RobustnessPlan({k: levels.get(k, k.levels) for k in ordered}, arguments.seed)


COMMAND = Command(
    name="robustness",
    summary="Accuracy of a finished run against noise, blur, darkness, loss and offset.",
    example="aver robustness runs/ravdess --kinds white-noise,lost-modality",
    add_arguments=_add_arguments,
    run=_run,
)
