"""`aver pretrain`: faces from pictures, voices from speakers, to start other trainings from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_strict_argument,
    add_words_argument,
    add_work_arguments,
    open_named_corpus,
    parse_assignments,
    print_path,
    typed_command,
)
from aver.cli.train import print_unusable
from aver.errors import CorpusError, MediaError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.features.store import Failure
    from aver.pretraining.run import Notice


def add_reader_settings(parser: ArgumentParser, option: str) -> None:
    """Settings of the reader of a corpus beside the one that is learnt from."""
    parser.add_argument(
        option,
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="of its reader 'manifest', for instance config=javanese-av; default: guessed",
    )


def open_other(folder: Path, words: list[str], option: str, strict: bool) -> Corpus:
    """A corpus beside the one that is learnt from; files that cannot be read are listed.

    Raises
    ------
    CorpusError
        If `strict`, and the reader could not use a file.
    """
    from aver.corpora import open_corpus

    settings = parse_assignments(words, option)
    corpus = open_corpus(folder, "manifest" if settings else None, **settings)
    if strict and corpus.problems:
        first = corpus.problems[0]
        raise CorpusError(f"{first.path} cannot be used: {first.reason}")
    print_unusable(corpus, ())
    return corpus


def notice_of(strict: bool) -> Notice:
    """List clips that cannot be used before anything is learnt; if `strict`, raise MediaError."""

    def notice(failures: Sequence[Failure]) -> None:
        print(f"{len(failures)} clips cannot be used:", file=sys.stderr)
        for failure in failures:
            print(f"  {failure.clip.clip_id}: {failure.reason}", file=sys.stderr)
        if strict:
            raise MediaError(f"{len(failures)} clips cannot be used (--strict).")

    return notice


def counted(counts: dict[str, int]) -> str:
    """``name count`` of each, with commas."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _add_unpaired_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--faces", type=Path, required=True, metavar="PATH", help="pictures, such as fer2013.tar"
    )
    parser.add_argument(
        "--voices", type=Path, required=True, metavar="DIR", help="clips with sound and speakers"
    )
    add_reader_settings(parser, "--voices-settings")
    parser.add_argument(
        "--merge",
        nargs="+",
        action="extend",
        default=[],
        metavar="EMOTION=EMOTION",
        help="emotions that count as another, for instance calm=neutral",
    )
    parser.add_argument("--drop", default="", metavar="A,B", help="emotions to leave out")
    parser.add_argument(
        "--images-per-voice",
        type=int,
        default=4,
        metavar="N",
        help="faces of its class that each voice is joined with (default: %(default)s)",
    )
    parser.add_argument("--preset", default="mrpn-unpaired", help="an MRPN over face embeddings")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="settings that replace the preset's, for instance network=N0",
    )
    parser.add_argument(
        "--adapt",
        default="",
        choices=("", "speaker"),
        help="speaker: bring voices to each speaker's own scale",
    )
    parser.add_argument(
        "--test", type=Path, metavar="DIR", help="a third corpus to test on, never learnt from"
    )
    add_reader_settings(parser, "--test-settings")
    add_strict_argument(parser)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/unpaired"), help="run folder")
    add_work_arguments(parser)


def _run_unpaired(arguments: Namespace) -> int:
    from aver.cli.arguments import parse_words
    from aver.corpora.corpus import Selection
    from aver.features.store import FeatureStore
    from aver.pretraining.cross_corpus import (
        check_apart,
        check_predictable,
        check_unseen,
        describe_figures,
        figures_of,
        score_unpaired,
    )
    from aver.pretraining.unpaired import UnpairedRequest, train_unpaired
    from aver.splits.rule import default_split

    strict = arguments.strict
    voices = open_other(arguments.voices, arguments.voices_settings, "--voices-settings", strict)
    voices = Selection(channel="speech").apply(voices)
    request = UnpairedRequest(
        open_other(arguments.faces, [], "--faces", strict),
        voices,
        default_split(voices),
        preset=arguments.preset,
        overrides=parse_assignments(arguments.set, "--set"),
        merge=parse_assignments(arguments.merge, "--merge"),
        drop=parse_words(arguments.drop),
        images_per_voice=arguments.images_per_voice,
        adapt=arguments.adapt,
    )
    corpus, store = None, FeatureStore(arguments.cache)
    if arguments.test is not None:
        corpus = open_other(arguments.test, arguments.test_settings, "--test-settings", strict)
        check_unseen(corpus, (request.faces.label, request.voices.label))
        check_predictable(corpus, request.adapt)
        check_apart(request.voices, corpus, store)
    recognizer = train_unpaired(
        request,
        arguments.out,
        store=store,
        seed=arguments.seed,
        workers=arguments.workers,
        notice=notice_of(strict),
    )
    card = recognizer.card
    print(f"Classes: {', '.join(card['classes'])}. Pairs: {counted(card['pairs'])}.")
    found = score_unpaired(
        recognizer,
        request,
        arguments.out,
        store,
        other=corpus,
        seed=arguments.seed,
        workers=arguments.workers,
    )
    for name, evaluation in found.items():
        figures = figures_of(evaluation)
        print(f"{name}, {figures['protocol']}: {figures['clips']} clips")
        print(describe_figures(figures))
    print_path(arguments.out / "checkpoint")
    return 0


UNPAIRED = Command(
    name="unpaired",
    summary="A fused recogniser from faces in one corpus and voices in another.",
    example="aver pretrain unpaired --faces fer2013.tar --voices ravdess/ --merge calm=neutral",
    add_arguments=_add_unpaired_arguments,
    run=_run_unpaired,
)


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
    from aver.pretraining.images import split_images
    from aver.pretraining.run import read_settings
    from aver.pretraining.visual import VisualSettings, pretrain_visual

    corpus = open_named_corpus(arguments)
    print_unusable(corpus, ())
    result = pretrain_visual(
        corpus,
        split_images(corpus),
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
    from aver.pretraining.run import read_settings
    from aver.pretraining.voice import pretrain_voice
    from aver.pretraining.voice_data import VoiceSettings, check_labels, split_voices

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
