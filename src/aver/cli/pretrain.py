"""`aver pretrain video | audio | unpaired | ship`: weights that other trainings start from."""

from __future__ import annotations

import argparse
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.cli.arguments import (
    Command,
    add_adapt_argument,
    add_corpus_arguments,
    add_list_argument,
    add_strict_argument,
    add_work_arguments,
    check_strict,
    corpus_of,
    feature_store,
    parse_assignments,
    print_path,
    print_unusable,
    split_list,
    typed_command,
)
from aver.cli.several_corpora import add_label_arguments, read_corpus_words
from aver.errors import MediaError, SettingsError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.features.store import Failure
    from aver.pretraining.audio_data import Notice


def _add_shared_arguments(parser: ArgumentParser, out: str) -> None:
    add_corpus_arguments(parser)
    parser.add_argument(
        "--preset", default="compact", metavar="NAME", help="compact, paper, or a YAML file"
    )
    add_list_argument(
        parser, "--set", "settings to change in the preset, for example training.epochs=10"
    )
    _add_run_arguments(parser, out)


def _add_run_arguments(parser: ArgumentParser, out: str) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the training")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(out),
        metavar="DIR",
        help="run folder; resumed if it exists",
    )
    add_work_arguments(parser)


def _add_other_reader_argument(parser: ArgumentParser, name: str) -> None:
    add_list_argument(
        parser,
        name,
        "settings of its reader 'manifest', for example config=javanese-av (default: the reader "
        "is guessed)",
    )


def _open_other(folder: Path, settings: Sequence[str], option: str, strict: bool) -> Corpus:
    """Open a corpus besides ``--corpus``; unreadable files are listed, or an error if `strict`."""
    from aver.corpora import open_corpus

    given = parse_assignments(settings, option)
    corpus = open_corpus(folder, "manifest" if given else None, **given)
    check_strict(corpus, strict)
    print_unusable(corpus)
    return corpus


def _notice(strict: bool) -> Notice:
    """What to do about unusable clips before training: list them, or an error if `strict`."""

    def notice(failures: Sequence[Failure]) -> None:
        print(f"{len(failures)} clips cannot be used:", file=sys.stderr)
        for failure in failures:
            print(f"  {failure.clip.clip_id}: {failure.reason}", file=sys.stderr)
        if strict:
            raise MediaError(f"{len(failures)} clips cannot be used (--strict).")

    return notice


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _add_video_arguments(parser: ArgumentParser) -> None:
    _add_shared_arguments(parser, "runs/pretrain-video")
    add_list_argument(
        parser,
        "--also",
        "more corpora of images to train and validate on; each folder may be followed by "
        "reader=NAME and settings of its reader",
        metavar="DIR|KEY=VALUE",
    )
    add_list_argument(
        parser,
        "--also-test",
        "more images to test on, written as for --also: the test subset of a corpus, or all of one "
        "without subsets",
        metavar="DIR|KEY=VALUE",
    )
    parser.add_argument(
        "--leaking",
        action="store_true",
        help="keep near-duplicates of test images in the training data, as published figures do; "
        "results are marked LEAKS",
    )


def _open_words(words: Sequence[str], option: str, strict: bool) -> list[Corpus]:
    """Open corpora that are given as folders, each followed by its settings."""
    opened = [one.open("") for one in read_corpus_words(words, option)]
    for corpus in opened:
        check_strict(corpus, strict)
        print_unusable(corpus)
    return opened


def _run_video(arguments: Namespace) -> int:
    from aver.corpora.corpus import Selection
    from aver.pretraining.images import join_images, split_images
    from aver.pretraining.settings import VideoSettings, read_settings
    from aver.pretraining.video import pretrain_video

    strict = arguments.strict
    corpora = [corpus_of(arguments)]
    print_unusable(corpora[0])
    emotions = Selection(emotions=split_list(arguments.emotions))
    corpora += map(emotions.apply, _open_words(arguments.also, "--also", strict))
    corpus = join_images(corpora)
    tests = {
        one.label: [clip for clip in one if clip.subset == "test"] or list(one)
        for one in _open_words(arguments.also_test, "--also-test", strict)
    }
    changes = parse_assignments(arguments.set, "--set")
    card = pretrain_video(
        corpus,
        split_images(corpus),
        read_settings(VideoSettings, "video", arguments.preset, changes),
        out=arguments.out,
        seed=arguments.seed,
        workers=arguments.workers,
        leaking=arguments.leaking,
        tests=tests,
        command=typed_command(arguments),
    )
    print(_describe_video(card))
    print_path(arguments.out)
    return 0


def _describe_video(card: dict[str, Any]) -> str:
    lines = [f"LEAKS: {leak}" for leak in card.get("leaks", ())]
    lines.append(f"Images: {_counts(card['images'])}.")
    for subset, faults in card["set_aside"].items():
        if faults:
            lines.append(f"Set aside in {subset}: {_counts(faults)}.")
    metrics = card["metrics"]
    for name, title in (
        ("validation", "validation (all choices were made on it)"),
        ("test", "test, as published"),
        ("test_without_doubtful", "test without doubtful images"),
    ):
        share = metrics[name]
        lines.append(
            f"Accuracy, {title}: {share['value']:.1%} "
            f"[{share['low']:.1%}, {share['high']:.1%}], {share['images']} images."
        )
    recalls = ", ".join(f"{name} {share:.0%}" for name, share in metrics["test_recall"].items())
    return "\n".join([*lines, f"Recall on test: {recalls}."])


def _add_audio_arguments(parser: ArgumentParser) -> None:
    _add_shared_arguments(parser, "runs/pretrain-audio")
    parser.add_argument(
        "--target",
        default="speaker",
        choices=("speaker", "emotion"),
        help="labels to train with",
    )
    parser.add_argument(
        "--verify",
        type=Path,
        metavar="DIR",
        help="another corpus, to test the verification of its speakers too",
    )
    _add_other_reader_argument(parser, "--verify-settings")


def _run_audio(arguments: Namespace) -> int:
    from aver.pretraining.audio import pretrain_audio
    from aver.pretraining.audio_data import check_labels, split_speakers
    from aver.pretraining.settings import AudioSettings, read_settings

    corpus = corpus_of(arguments)
    print_unusable(corpus)
    verify = None
    if arguments.verify is not None:
        verify = _open_other(
            arguments.verify, arguments.verify_settings, "--verify-settings", arguments.strict
        )
    check_labels(corpus, arguments.target)
    changes = {"target": arguments.target} | parse_assignments(arguments.set, "--set")
    card = pretrain_audio(
        corpus,
        split_speakers(corpus),
        read_settings(AudioSettings, "audio", arguments.preset, changes),
        out=arguments.out,
        verify=verify,
        store=feature_store(arguments),
        seed=arguments.seed,
        workers=arguments.workers,
        notice=_notice(arguments.strict),
    )
    print(_describe_audio(card["metrics"]))
    print_path(arguments.out)
    return 0


def _describe_audio(metrics: dict[str, Any]) -> str:
    lines = [f"{metrics['unseen_speakers']} unseen speakers: {_error_rates(metrics)}"]
    if "other_corpus" in metrics:
        other = metrics["other_corpus"]
        lines.append(
            f"{other['unseen_speakers']} speakers of {other['corpus']}: {_error_rates(other)}"
        )
    if "accuracy" in metrics:
        lines.append(
            f"Emotion, {metrics['clips']} clips of these speakers: {metrics['accuracy']:.1%} "
            f"[{metrics['low']:.1%}, {metrics['high']:.1%}, clips taken as independent]."
        )
    return "\n".join(lines)


def _error_rates(metrics: dict[str, Any]) -> str:
    low, high = metrics["equal_error_rate_low"], metrics["equal_error_rate_high"]
    bounds = "" if low is None else f" [{low:.1%}, {high:.1%}]"
    return (
        f"equal error rate {metrics['equal_error_rate']:.1%}{bounds}; of the untrained network "
        f"{metrics['equal_error_rate_untrained']:.1%}."
    )


def _add_unpaired_arguments(parser: ArgumentParser) -> None:
    metavar = "DIR|KEY=VALUE"
    add_list_argument(
        parser,
        "--faces",
        "corpora of labeled images of faces, such as fer2013.tar; each may be followed by "
        "reader=NAME and settings of its reader",
        metavar=metavar,
        required=True,
    )
    add_list_argument(
        parser,
        "--voices",
        "corpora of clips with audio and speakers, written as for --faces",
        metavar=metavar,
        required=True,
    )
    parser.add_argument(
        "--all-voices",
        action="store_true",
        help="train on all speakers; without it some are kept for a test",
    )
    add_label_arguments(parser)
    parser.add_argument(
        "--max-voices",
        type=int,
        default=0,
        metavar="N",
        help="train on at most N clips of each corpus of voices, drawn at random, so that none "
        "outweighs the others (default: all)",
    )
    parser.add_argument(
        "--images-per-voice",
        type=int,
        default=4,
        metavar="N",
        help="face images of the same class that each voice clip is paired with",
    )
    hidden = argparse.SUPPRESS  # the name of version 0.1
    parser.add_argument(
        "--pictures-per-voice", dest="images_per_voice", type=int, default=hidden, help=hidden
    )
    parser.add_argument(
        "--preset",
        default="mrpn-unpaired",
        metavar="NAME",
        help="expert-fusion, or an MRPN with face embeddings (default: %(default)s)",
    )
    add_list_argument(parser, "--set", "settings to change in the preset, for example network=N0")
    add_adapt_argument(parser, "audio features")
    add_list_argument(
        parser,
        "--fusion",
        "with the preset expert-fusion: a corpus with faces and voices to choose the fusion on, "
        "for example javanese-av/ speakers=01,02",
        metavar=metavar,
    )
    add_list_argument(
        parser,
        "--test",
        "a corpus to test on, never trained on; of the corpus of --fusion, other speakers",
        metavar=metavar,
    )
    add_strict_argument(parser)
    _add_run_arguments(parser, "runs/unpaired")


def _run_unpaired(arguments: Namespace) -> int:
    from aver.corpora.corpus import Selection
    from aver.pretraining.cross_corpus import (
        check_audio_apart,
        check_predictable,
        check_unseen,
        describe_figures,
        figures_of,
        score_unpaired,
    )
    from aver.pretraining.images import join_images
    from aver.pretraining.unpaired import UnpairedRequest, train_on_all, train_unpaired
    from aver.splits.rule import default_split

    strict = arguments.strict
    voices = _joined(_open_words(arguments.voices, "--voices", strict))
    voices = Selection(channel="speech").apply(voices)
    drop = split_list(arguments.drop)
    faces = _open_words(arguments.faces, "--faces", strict)
    fusion = _only(_open_words(arguments.fusion, "--fusion", strict), "--fusion")
    request = UnpairedRequest(
        join_images(faces),
        voices,
        train_on_all(voices) if arguments.all_voices else default_split(voices),
        preset=arguments.preset,
        overrides=parse_assignments(arguments.set, "--set"),
        merge=parse_assignments(arguments.merge, "--merge"),
        drop=drop,
        images_per_voice=arguments.images_per_voice,
        max_voices=arguments.max_voices,
        adapt=arguments.adapt,
        fusion=fusion,
    )
    test = _only(_open_words(arguments.test, "--test", strict), "--test")
    store = feature_store(arguments)
    for corpus in (fusion, test):
        if corpus is not None:
            trained = [*faces, *(voices.parts.values() or [voices])]
            check_unseen(corpus, [one.label for one in trained])
            check_predictable(corpus, request.adapt)
            check_audio_apart(request.voices, corpus, store)
    if fusion is not None and test is not None:
        check_audio_apart(fusion, test, store)
    recognizer = train_unpaired(
        request,
        arguments.out,
        store=store,
        seed=arguments.seed,
        workers=arguments.workers,
        notice=_notice(strict),
    )
    card = recognizer.card
    counts = _counts(card["pairs"]) if "pairs" in card else _counts(card["clips"])
    what = "Pairs" if "pairs" in card else "Clips"
    print(f"Classes: {', '.join(card['classes'])}. {what}: {counts}.")
    evaluations = score_unpaired(
        recognizer,
        request,
        arguments.out,
        store,
        other=test,
        seed=arguments.seed,
        workers=arguments.workers,
    )
    for name, evaluation in evaluations.items():
        figures = figures_of(evaluation)
        print(f"{name}, {figures['protocol']}: {figures['clips']} clips")
        print(describe_figures(figures))
    print_path(arguments.out / "checkpoint")
    return 0


def _joined(corpora: Sequence[Corpus]) -> Corpus:
    from aver.corpora import combine

    return combine(corpora, unshared="keep") if len(corpora) > 1 else corpora[0]


def _only(corpora: Sequence[Corpus], option: str) -> Corpus | None:
    if len(corpora) > 1:
        raise SettingsError(f"{option} takes one corpus, not {len(corpora)}.")
    return corpora[0] if corpora else None


def _add_ship_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="run folder of 'aver pretrain'")
    parser.add_argument("--name", required=True, help="name of the weights")
    parser.add_argument(
        "--summary", required=True, metavar="TEXT", help="one line for 'aver list weights'"
    )
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help="folder of all weights (default: that of the package)",
    )


def _run_ship(arguments: Namespace) -> int:
    from aver.pretraining.ship import ship_run

    print_path(ship_run(arguments.run, arguments.name, arguments.summary, arguments.root))
    return 0


COMMAND = Command(
    name="pretrain",
    summary="Pretrain networks on face images or on voices.",
    example="aver pretrain video --corpus fer2013.tar --out runs/faces",
    subcommands=(
        Command(
            name="video",
            summary="Train a face network on labeled images, such as FER2013.",
            example="aver pretrain video --corpus fer2013.tar --preset compact --out runs/faces",
            add_arguments=_add_video_arguments,
            run=_run_video,
            aliases=("visual",),
        ),
        Command(
            name="audio",
            summary="Train a voice network on the speakers, or the emotions, of clips with audio.",
            example="aver pretrain audio --corpus ravdess/ --target speaker --out runs/voices",
            add_arguments=_add_audio_arguments,
            run=_run_audio,
            aliases=("voice",),
        ),
        Command(
            name="unpaired",
            summary="Train a fused recognizer on faces of one corpus and voices of another.",
            example="aver pretrain unpaired --faces fer2013.tar --voices ravdess/ "
            "--merge calm=neutral",
            add_arguments=_add_unpaired_arguments,
            run=_run_unpaired,
        ),
        Command(
            name="ship",
            summary="Add the weights of a run, with a card of its figures, to those of aver.",
            example="aver pretrain ship runs/faces --name my-faces --summary Mine",
            add_arguments=_add_ship_arguments,
            run=_run_ship,
        ),
    ),
)
