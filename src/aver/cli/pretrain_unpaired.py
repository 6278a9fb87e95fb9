"""`aver pretrain unpaired`: a fused recogniser from faces in one corpus and voices in another."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import (
    Command,
    add_strict_argument,
    add_work_arguments,
    parse_assignments,
    print_path,
)
from aver.cli.train import print_unusable
from aver.errors import CorpusError, MediaError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.features.store import Failure
    from aver.pretraining.usable_clips import Notice


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
        "--pictures-per-voice",
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
    from aver.cli.command import parse_words
    from aver.corpora.selection import Selection
    from aver.features.store import FeatureStore
    from aver.pretraining.answer_corpus import (
        check_answerable,
        check_apart,
        check_unseen,
        describe_figures,
        figures_of,
    )
    from aver.pretraining.unpaired import UnpairedRequest, train_unpaired
    from aver.pretraining.unpaired_scores import score_unpaired
    from aver.splits.default import default_split

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
        pictures_per_voice=arguments.pictures_per_voice,
        adapt=arguments.adapt,
    )
    corpus, store = None, FeatureStore(arguments.cache)
    if arguments.test is not None:
        corpus = open_other(arguments.test, arguments.test_settings, "--test-settings", strict)
        check_unseen(corpus, (request.faces.label, request.voices.label))
        check_answerable(corpus, request.adapt)
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
