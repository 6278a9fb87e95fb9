"""`aver reproduce`: the tables and figures of a paper, beside our numbers, leaking and clean."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_list_argument,
    add_work_arguments,
    corpus_of,
    feature_store,
    parse_assignments,
    print_path,
    split_list,
    typed_command,
)
from aver.compatibility import upgrade, upgrade_name
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.evaluation.reproduction import ProtocolKind, ReproductionSettings


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paper", help="name of a paper, see 'aver list reproductions'")
    add_corpus_arguments(parser)
    add_list_argument(parser, "--table", "numbers of tables", metavar="NUMBER")
    add_list_argument(parser, "--figure", "numbers of figures", metavar="NUMBER")
    parser.add_argument(
        "--preset", default="", metavar="NAME", help="preset to use (default: PAPER-compact)"
    )
    add_list_argument(parser, "--set", "settings to change in the preset")
    parser.add_argument(
        "--video",
        default="video",
        type=upgrade_name,
        choices=("video", "action_units"),
        help="what to use as the video modality",
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="use the seeds 0 to N-1")
    parser.add_argument(
        "--protocols", default="paper,clean", metavar="A,B", help="protocols, of: paper, clean"
    )
    parser.add_argument(
        "--clean-rule", default="", metavar="RULE", help="split rule of the clean protocol"
    )
    add_list_argument(parser, "--clean-settings", "settings of that rule")
    parser.add_argument(
        "--clip", type=Path, metavar="FILE", help="a clip of yours, for figures that show a clip"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/reproduce"),
        metavar="DIR",
        help="folder to write; finished runs in it are used again",
    )
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver.corpora.user_files import load_clips
    from aver.evaluation.reproduce import CorpusRuns, RunCache, reproduce_table, reproductions
    from aver.reports.reproduction_figures import ReproductionFigures
    from aver.reports.reproduction_report import describe_reproduction, write_reproduction

    kind = reproductions.get(arguments.paper)
    if not (arguments.table or arguments.figure):
        raise SettingsError(
            f"Say what to reproduce: --table {' | '.join(kind.tables)}, "
            f"--figure {' | '.join(kind.figures)}."
        )
    protocols = _protocols(arguments.protocols)
    corpus = corpus_of(arguments)
    store = feature_store(arguments)
    runs = CorpusRuns(corpus, store, arguments.workers, arguments.strict, typed_command())
    reproduction = kind(reproduction_settings(arguments, corpus.label, len(corpus.speakers)))
    cache = RunCache(arguments.out / "runs", runs)
    for number in arguments.table:
        table = reproduce_table(
            reproduction, number, cache, corpus_key=runs.key, protocols=protocols
        )
        write_reproduction(table, arguments.out)
        print(describe_reproduction(table))
    clip = load_clips([arguments.clip]).clips[0] if arguments.clip else None
    figures = ReproductionFigures(
        *(reproduction, cache, runs.key, arguments.out, store, protocols, corpus.clips, clip)
    )
    for number in arguments.figure:
        for path in figures.write(number):
            print_path(path)
    print_path(arguments.out)
    return 0


def _protocols(text: str) -> tuple[ProtocolKind, ...]:
    given = split_list(text)
    if not given or not set(given) <= {"paper", "clean"}:
        raise SettingsError(f"--protocols takes paper, clean or both, not {text!r}.")
    protocols: tuple[ProtocolKind, ...] = ("paper", "clean")
    return tuple(protocol for protocol in protocols if protocol in given)


def reproduction_settings(arguments: Namespace, corpus: str, speakers: int) -> ReproductionSettings:
    """The settings that the arguments ask for."""
    from aver.evaluation.baselines import branches_by_modality
    from aver.evaluation.reproduction import ReproductionSettings
    from aver.features.store import FeatureStore
    from aver.models.base.presets import load_preset

    preset = arguments.preset or f"{arguments.paper}-compact"
    overrides = upgrade(parse_assignments(arguments.set, "--set"))  # names of version 0.1
    model, settings = load_preset(preset, overrides)
    branches = branches_by_modality(model(settings, FeatureStore()).features)
    video = ("action_units",) if arguments.video == "action_units" else branches.get("video")
    return ReproductionSettings(
        corpus=corpus,
        speakers=speakers,
        preset=preset,
        overrides=overrides,
        video=video or ("video",),
        audio=branches.get("audio", ("audio",)),
        seeds=tuple(range(arguments.seeds)),
        clean_rule=arguments.clean_rule,
        clean_settings=parse_assignments(arguments.clean_settings, "--clean-settings"),
    )


COMMAND = Command(
    name="reproduce",
    summary="Reproduce the tables and figures of a paper.",
    example="aver reproduce mrpn --table 1 4 --corpus ravdess/ --out runs/mrpn",
    add_arguments=_add_arguments,
    run=_run,
)
