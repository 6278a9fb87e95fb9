"""`aver reproduce`: the tables and figures of a paper, beside our numbers, leaking and clean."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_init_argument,
    add_list_argument,
    add_work_arguments,
    corpus_of,
    feature_store,
    parse_assignments,
    print_path,
    split_list,
    typed_command,
    with_init,
)
from aver.compatibility import upgrade, upgrade_name
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.evaluation.reproduction import ProtocolKind, Reproduction, ReproductionSettings

_TABLES = (
    "mrpn 1 2 3 4, ours: ours; snn-cross-modal I II III IV V, ours: windows audio both labels; "
    "synch-graph 1 2 3, ours: graph windows; temporal-aggregation I, ours: segments weights b"
)
_FIGURES = (
    "mrpn 5 9 10; snn-cross-modal 3 4 5, ours: incongruent; synch-graph 3 4 5 6 7, ours: windows; "
    "temporal-aggregation 3 4 5, ours: b asynchrony"
)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paper",
        help="name of a paper, see 'aver list reproductions'; of its corpora, its own classes and "
        "channel are used unless --emotions and --channel choose others",
    )
    add_corpus_arguments(parser)
    # None: the paper's own clips; the user's "" asks for both channels.
    parser.set_defaults(channel=None)
    add_list_argument(parser, "--table", f"numbers of tables: {_TABLES}", metavar="NUMBER")
    add_list_argument(parser, "--figure", f"numbers of figures: {_FIGURES}", metavar="NUMBER")
    parser.add_argument(
        "--preset",
        default="compact",
        metavar="NAME",
        help="network to use: paper, which has the sizes of the paper and needs a GPU, compact, or "
        "another preset",
    )
    add_list_argument(parser, "--set", "settings to change in the preset")
    add_init_argument(parser)
    parser.add_argument(
        "--video",
        default="video",
        type=upgrade_name,
        choices=("video", "action_units"),
        help="what to use as the video modality",
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="use the seeds 0 to N-1")
    parser.add_argument(
        "--protocols",
        default="paper,scripts,clean",
        metavar="A,B",
        help="protocols to run, of: paper, scripts (in the table 'labels' only), clean",
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
    corpus = _papers_clips(arguments, kind, corpus_of(arguments))
    store = feature_store(arguments)
    runs = CorpusRuns(corpus, store, arguments.workers, arguments.strict, typed_command(arguments))
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


def _papers_clips(arguments: Namespace, kind: type[Reproduction], corpus: Corpus) -> Corpus:
    """The clips that the paper uses, unless the arguments select emotions or a channel."""
    chosen = kind.papers_clips(
        corpus, emotions=not arguments.emotions, channel=arguments.channel is None
    )
    if len(chosen) < len(corpus):
        print(
            f"As in the paper: {len(chosen)} of {len(corpus)} clips, {', '.join(chosen.classes)}. "
            "Choose others with --emotions and --channel."
        )
    return chosen


def _protocols(text: str) -> tuple[ProtocolKind, ...]:
    from aver.evaluation.reproduction import PROTOCOLS

    given = split_list(text)
    if not given or not set(given) <= set(PROTOCOLS):
        raise SettingsError(f"--protocols takes any of {', '.join(PROTOCOLS)}, not {text!r}.")
    return tuple(protocol for protocol in PROTOCOLS if protocol in given)


def _preset(paper: str, given: str) -> str:
    """The preset that ``--preset`` names: ``paper`` is ``mrpn-paper`` for the paper ``mrpn``."""
    from aver.models.base.presets import preset_names

    own = f"{paper}-{given}"
    return own if own in preset_names() else given


def reproduction_settings(arguments: Namespace, corpus: str, speakers: int) -> ReproductionSettings:
    """The settings that the arguments ask for."""
    from aver.evaluation.baselines import branches_by_modality
    from aver.evaluation.reproduction import ReproductionSettings, reproductions
    from aver.features.store import FeatureStore
    from aver.models.base.presets import load_preset

    reproductions.get(arguments.paper)  # says first that a paper is unknown, then that a preset is
    preset = _preset(arguments.paper, arguments.preset)
    overrides = upgrade(parse_assignments(arguments.set, "--set"))  # names of version 0.1
    overrides = with_init(arguments, preset, overrides)
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
