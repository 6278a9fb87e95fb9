"""`aver train`: fit one recogniser and keep its checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.features.store import Failure
    from aver.splits.split import Split


def add_system_arguments(parser: ArgumentParser) -> None:
    """Declare which system, on which split, with what changed."""
    add_corpus_arguments(parser)
    parser.add_argument("--preset", default="mrpn-compact", help="see 'aver list presets'")
    add_words_argument(
        parser,
        "--set",
        "settings that replace the preset's, for instance network=N1 training.epochs=20",
    )
    parser.add_argument(
        "--modalities", default="", metavar="A,B", help="which to use, of: video, sound, units"
    )
    parser.add_argument(
        "--targets",
        default="",
        metavar="A,B",
        help="what to learn, of: emotion, intensity, votes-voice, votes-face, votes-both",
    )
    parser.add_argument(
        "--split",
        default=None,
        metavar="FILE|RULE",
        help="a split's JSON, or a rule such as leave-one-speaker-out; "
        "default: speaker-disjoint folds",
    )
    add_words_argument(parser, "--split-settings", "of the rule")
    parser.add_argument(
        "--init",
        default="",
        metavar="video=NAME|PATH,audio=NAME|PATH",
        help="pretrained weights to start from: of 'aver list weights', a file, or a run folder of "
        "'aver pretrain'; frozen at first, then trained at a tenth of the rate",
    )
    parser.add_argument(
        "--adapt",
        default="",
        choices=("", "speaker"),
        help="speaker: bring features to each speaker's own scale by all of the speaker's clips, "
        "without labels; results say so",
    )
    add_work_arguments(parser)


def overrides_of(arguments: Namespace) -> dict[str, Any]:
    """Settings that the command line replaces."""
    overrides = parse_assignments(arguments.set, "--set")
    for name in ("modalities", "targets"):
        words = parse_words(getattr(arguments, name))
        if words:
            overrides[name] = list(words)
    if arguments.init:
        from aver.models.base.presets import start_from

        return start_from(arguments.preset, overrides, _weights_of(arguments.init))
    return overrides


def _weights_of(text: str) -> dict[str, str]:
    """Read ``video=NAME,audio=PATH``; names are taken as they are typed, ``007`` too.

    Raises
    ------
    SettingsError
        If a word has no ``=``, or one sense is named twice.
    """
    found: dict[str, str] = {}
    for word in parse_words(text):
        sense, equals, name = word.partition("=")
        if not equals or sense in found:
            raise SettingsError(
                f"--init takes video=NAME|PATH,audio=NAME|PATH, each once, not {text!r}."
            )
        found[sense] = name
    return found


def split_of(arguments: Namespace, corpus: Corpus) -> Split:
    """The split that the arguments name: a file, a rule, or the default."""
    from aver.splits import load_split, make_split
    from aver.splits.rule import default_split

    if arguments.split is None:
        return default_split(corpus)
    if Path(arguments.split).suffix == ".json":
        return load_split(arguments.split, corpus)
    settings = parse_assignments(arguments.split_settings, "--split-settings")
    return make_split(corpus, arguments.split, **settings)


def print_unusable(corpus: Corpus, failures: tuple[Failure, ...]) -> None:
    """List what was left out, after everything else: files by the reader, clips by extraction."""
    unusable = [(problem.path, problem.reason) for problem in corpus.problems]
    unusable += [(failure.clip.clip_id, failure.reason) for failure in failures]
    if unusable:
        print(f"{len(unusable)} files could not be used:", file=sys.stderr)
    for name, reason in unusable:
        print(f"  {name}: {reason}", file=sys.stderr)


def _add_arguments(parser: ArgumentParser) -> None:
    add_system_arguments(parser)
    parser.add_argument("--fold", type=int, default=0, help="which fold of the split to train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/train"), help="run folder; resumed if it exists"
    )


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.features.store import FeatureStore
    from aver.reports.run_report import describe_run

    corpus = open_named_corpus(arguments)
    result = api.train(
        corpus,
        arguments.preset,
        out=arguments.out,
        split=split_of(arguments, corpus),
        fold=arguments.fold,
        overrides=overrides_of(arguments),
        seed=arguments.seed,
        adapt=arguments.adapt,
        store=FeatureStore(arguments.cache),
        workers=arguments.workers,
        strict=arguments.strict,
        command=typed_command(),
    )
    print(describe_run((result.evaluation,)))
    print_unusable(corpus, result.failures)
    print_path(result.folder)
    return 0


COMMAND = Command(
    name="train",
    summary="Fit one recogniser on one fold, test it there, keep the checkpoint.",
    example="aver train --corpus ravdess/ --preset mrpn-compact --out runs/first",
    add_arguments=_add_arguments,
    run=_run,
)
