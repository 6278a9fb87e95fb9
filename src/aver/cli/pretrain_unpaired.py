"""`aver pretrain unpaired`: a fused recogniser from faces in one corpus and voices in another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import Command, add_work_arguments, parse_assignments, print_path

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus


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


def open_other(folder: Path, words: list[str], option: str) -> Corpus:
    """A corpus beside the one that is learnt from."""
    from aver.corpora import open_corpus

    settings = parse_assignments(words, option)
    return open_corpus(folder, "manifest" if settings else None, **settings)


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
    parser.add_argument(
        "--merge",
        nargs="+",
        action="extend",
        default=[],
        metavar="EMOTION=EMOTION",
        help="emotions that count as another, for instance calm=neutral",
    )
    parser.add_argument("--drop", default="", metavar="A,B", help="emotions to leave out")
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/unpaired"), help="run folder")
    add_work_arguments(parser)


def _run_unpaired(arguments: Namespace) -> int:
    from aver.cli.command import parse_words
    from aver.corpora import open_corpus
    from aver.corpora.selection import Selection
    from aver.features.store import FeatureStore
    from aver.pretraining.answer_corpus import check_unseen, describe_figures, figures_of
    from aver.pretraining.unpaired import UnpairedRequest, train_unpaired
    from aver.pretraining.unpaired_scores import score_unpaired
    from aver.splits.default import default_split

    voices = Selection(channel="speech").apply(open_corpus(arguments.voices))
    request = UnpairedRequest(
        open_corpus(arguments.faces),
        voices,
        default_split(voices),
        preset=arguments.preset,
        overrides=parse_assignments(arguments.set, "--set"),
        merge=parse_assignments(arguments.merge, "--merge"),
        drop=parse_words(arguments.drop),
        adapt=arguments.adapt,
    )
    corpus = None
    if arguments.test is not None:
        corpus = open_other(arguments.test, arguments.test_settings, "--test-settings")
        check_unseen(corpus, (request.faces.label, request.voices.label))
    store = FeatureStore(arguments.cache)
    recognizer = train_unpaired(
        request,
        arguments.out,
        store=store,
        seed=arguments.seed,
        workers=arguments.workers,
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
