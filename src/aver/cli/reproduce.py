"""`aver reproduce`: a paper's tables and figures, beside ours, leaking and clean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_words_argument,
    add_work_arguments,
    open_named_corpus,
    parse_assignments,
    parse_words,
    print_path,
    typed_command,
)

if TYPE_CHECKING:
    from aver.evaluation.reproduction import ProtocolKind, ReproductionSettings


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paper", help="see 'aver list reproductions'")
    add_corpus_arguments(parser)
    parser.add_argument("--table", nargs="+", action="extend", default=[], help="numbers of tables")
    parser.add_argument(
        "--figure", nargs="+", action="extend", default=[], help="numbers of figures"
    )
    parser.add_argument(
        "--preset", default="", help="sizes to repeat it with (default: <paper>-compact)"
    )
    add_words_argument(parser, "--set", "settings of that preset")
    parser.add_argument(
        "--video",
        default="video",
        choices=("video", "action_units"),
        help="what plays the pictures' part",
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 0 on")
    parser.add_argument(
        "--protocols", default="paper,clean", metavar="A,B", help="which of: paper, clean"
    )
    parser.add_argument(
        "--clean-rule", default="", metavar="RULE", help="split rule of the clean protocol"
    )
    add_words_argument(parser, "--clean-settings", "of that rule")
    parser.add_argument("--clip", type=Path, help="a clip of yours, for figures that show one")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/reproduce"), help="folder; finished runs are kept"
    )
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver.corpora.user_files import load_clips
    from aver.errors import SettingsError
    from aver.evaluation.reproduce import CorpusRuns, RunCache, reproduce_table, reproductions
    from aver.features.store import FeatureStore
    from aver.reports.reproduction_report import (
        FigureRequest,
        describe_reproduction,
        write_figure,
        write_reproduction,
    )

    if not (arguments.table or arguments.figure):
        kind = reproductions.get(arguments.paper)
        raise SettingsError(
            f"Say what to repeat: --table {' | '.join(kind.tables)}, "
            f"--figure {' | '.join(kind.figures)}."
        )
    corpus = open_named_corpus(arguments)
    command = typed_command()
    store = FeatureStore(arguments.cache)
    runs = CorpusRuns(corpus, store, arguments.workers, arguments.strict, command)
    settings = _settings(arguments, corpus.label, len(corpus.speakers))
    reproduction = reproductions.get(arguments.paper)(settings)
    shelf = RunCache(arguments.out / "runs", runs)
    for number in arguments.table:
        found = reproduce_table(
            reproduction,
            number,
            shelf,
            corpus_key=runs.key,
            protocols=_protocols(arguments.protocols),
        )
        write_reproduction(found, arguments.out)
        print(describe_reproduction(found))
    clip = load_clips([arguments.clip]).clips[0] if arguments.clip else None
    for number in arguments.figure:
        request = FigureRequest(
            reproduction,
            number,
            shelf,
            runs.key,
            clip,
            store,
            arguments.out,
            clips=corpus.clips,
            protocols=_protocols(arguments.protocols),
        )
        for path in write_figure(request):
            print_path(path)
    print_path(arguments.out)
    return 0


def _protocols(text: str) -> tuple[ProtocolKind, ...]:
    from aver.errors import SettingsError

    words = parse_words(text)
    if not words or not set(words) <= {"paper", "clean"}:
        raise SettingsError(f"--protocols takes paper, clean or both, not {text!r}.")
    return tuple(word for word in ("paper", "clean") if word in words)


def _settings(arguments: Namespace, corpus: str, speakers: int) -> ReproductionSettings:
    from aver.evaluation.baselines import branches_by_sense
    from aver.evaluation.reproduction import ReproductionSettings

    preset = arguments.preset or f"{arguments.paper}-compact"
    overrides = parse_assignments(arguments.set, "--set")
    senses = branches_by_sense(preset, overrides)
    return ReproductionSettings(
        corpus=corpus,
        speakers=speakers,
        preset=preset,
        overrides=overrides,
        video=("action_units",)
        if arguments.video == "action_units"
        else senses.get("video", ("video",)),
        audio=senses.get("audio", ("audio",)),
        seeds=tuple(range(arguments.seeds)),
        clean_rule=arguments.clean_rule,
        clean_settings=parse_assignments(arguments.clean_settings, "--clean-settings"),
    )


COMMAND = Command(
    name="reproduce",
    summary="Repeat a paper's tables and figures: paper, paper protocol (LEAKS), clean.",
    example="aver reproduce mrpn --table 1 4 --corpus ravdess/ --out runs/mrpn",
    add_arguments=_add_arguments,
    run=_run,
)
