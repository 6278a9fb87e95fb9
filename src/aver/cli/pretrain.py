"""`aver pretrain`: faces from pictures, voices from speakers, to start other trainings from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import (
    Command,
    add_corpus_arguments,
    add_words_argument,
    add_work_arguments,
    open_named_corpus,
    parse_assignments,
    print_path,
    typed_command,
)
from aver.cli.pretrain_unpaired import (
    UNPAIRED,
    add_reader_settings,
    counted,
    notice_of,
    open_other,
)
from aver.cli.train import print_unusable


def _add_shared(parser: ArgumentParser, out: str) -> None:
    add_corpus_arguments(parser)
    parser.add_argument("--preset", default="compact", help="compact, paper, or a YAML file")
    add_words_argument(
        parser, "--set", "settings that replace the preset's, for instance training.epochs=10"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path(out), help="run folder; resumed if it exists"
    )
    add_work_arguments(parser)


def _add_visual_arguments(parser: ArgumentParser) -> None:
    _add_shared(parser, "runs/pretrain-visual")
    parser.add_argument(
        "--leaking",
        action="store_true",
        help="set no copies aside, as published figures do; results say LEAKS",
    )


def _run_visual(arguments: Namespace) -> int:
    from aver.pretraining.picture_parts import split_pictures
    from aver.pretraining.read_settings import read_settings
    from aver.pretraining.visual import pretrain_visual
    from aver.pretraining.visual_settings import VisualSettings

    corpus = open_named_corpus(arguments)
    print_unusable(corpus, ())
    result = pretrain_visual(
        corpus,
        split_pictures(corpus),
        read_settings(
            VisualSettings, "visual", arguments.preset, parse_assignments(arguments.set, "--set")
        ),
        out=arguments.out,
        seed=arguments.seed,
        workers=arguments.workers,
        leaking=arguments.leaking,
        command=typed_command(),
    )
    print(_describe_visual(result.card))
    print_path(result.folder)
    return 0


def _describe_visual(card: dict[str, Any]) -> str:
    lines = [f"LEAKS: {leak}" for leak in card.get("leaks", ())]
    lines.append(f"Pictures: {counted(card['pictures'])}.")
    for part, faults in card["set_aside"].items():
        if faults:
            lines.append(f"Set aside in {part}: {counted(faults)}.")
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


VISUAL = Command(
    name="visual",
    summary="A face network from labelled pictures, such as FER2013.",
    example="aver pretrain visual --corpus fer2013.tar --preset compact --out runs/faces",
    add_arguments=_add_visual_arguments,
    run=_run_visual,
)


def _add_voice_arguments(parser: ArgumentParser) -> None:
    _add_shared(parser, "runs/pretrain-voice")
    parser.add_argument(
        "--target", default="speaker", choices=("speaker", "emotion"), help="what is taught"
    )
    parser.add_argument(
        "--verify", type=Path, metavar="DIR", help="another corpus, whose speakers are verified too"
    )
    add_reader_settings(parser, "--verify-settings")


def _run_voice(arguments: Namespace) -> int:
    from aver.features.store import FeatureStore
    from aver.pretraining.read_settings import read_settings
    from aver.pretraining.voice import pretrain_voice
    from aver.pretraining.voice_parts import check_labels, split_voices
    from aver.pretraining.voice_settings import VoiceSettings

    corpus = open_named_corpus(arguments)
    print_unusable(corpus, ())
    verify = None
    if arguments.verify is not None:
        verify = open_other(
            arguments.verify, arguments.verify_settings, "--verify-settings", arguments.strict
        )
    check_labels(corpus, arguments.target)
    changes = {"target": arguments.target} | parse_assignments(arguments.set, "--set")
    result = pretrain_voice(
        corpus,
        split_voices(corpus),
        read_settings(VoiceSettings, "voice", arguments.preset, changes),
        out=arguments.out,
        verify=verify,
        store=FeatureStore(arguments.cache),
        seed=arguments.seed,
        workers=arguments.workers,
        notice=notice_of(arguments.strict),
    )
    print(_describe_voice(result.card["metrics"]))
    print_path(result.folder)
    return 0


def _describe_voice(metrics: dict[str, Any]) -> str:
    lines = [f"{metrics['unseen_speakers']} unseen speakers: {_rates(metrics)}"]
    if "elsewhere" in metrics:
        other = metrics["elsewhere"]
        lines.append(f"{other['unseen_speakers']} speakers of {other['corpus']}: {_rates(other)}")
    if "accuracy" in metrics:
        lines.append(
            f"Emotion, {metrics['clips']} clips of these speakers: {metrics['accuracy']:.1%} "
            f"[{metrics['low']:.1%}, {metrics['high']:.1%}, clips taken as independent]."
        )
    return "\n".join(lines)


def _rates(metrics: dict[str, Any]) -> str:
    low, high = metrics["equal_error_rate_low"], metrics["equal_error_rate_high"]
    spread = "" if low is None else f" [{low:.1%}, {high:.1%}]"
    return (
        f"equal error rate {metrics['equal_error_rate']:.1%}{spread}; of the same network before "
        f"training {metrics['equal_error_rate_untrained']:.1%}."
    )


VOICE = Command(
    name="voice",
    summary="A voice network from speakers, or from emotions, of clips with sound.",
    example="aver pretrain voice --corpus ravdess/ --target speaker --out runs/voices",
    add_arguments=_add_voice_arguments,
    run=_run_voice,
)


def _add_ship_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="run folder of 'aver pretrain'")
    parser.add_argument("--name", required=True, help="what users will call the weights")
    parser.add_argument("--summary", required=True, help="one line for 'aver list weights'")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of all weights; default: the package's own"
    )


def _run_ship(arguments: Namespace) -> int:
    from aver.pretraining.ship import ship_run

    print_path(ship_run(arguments.run, arguments.name, arguments.summary, arguments.root))
    return 0


SHIP = Command(
    name="ship",
    summary="Put a run's weights among those of the package, its figures on the card.",
    example="aver pretrain ship runs/faces --name my-faces --summary Mine",
    add_arguments=_add_ship_arguments,
    run=_run_ship,
)

COMMAND = Command(
    name="pretrain",
    summary="Teach an extractor faces or voices before it sees a corpus of clips.",
    example="aver pretrain visual --corpus fer2013.tar --out runs/faces",
    verbs=(VISUAL, VOICE, UNPAIRED, SHIP),
)
