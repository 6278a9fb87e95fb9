"""`aver features`: extract what a preset needs, ahead of training."""

from __future__ import annotations

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_words_argument,
    add_work_arguments,
    open_named_corpus,
    parse_assignments,
)
from aver.cli.train import print_unusable


def _add_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser)
    parser.add_argument("--preset", default="mrpn-compact", help="extract what this preset needs")
    add_words_argument(parser, "--set", "settings of the preset")
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver.errors import MediaError
    from aver.features.store import FeatureStore
    from aver.models.base.presets import load_preset

    corpus = open_named_corpus(arguments)
    store = FeatureStore(arguments.cache)
    kind, settings = load_preset(arguments.preset, parse_assignments(arguments.set, "--set"))
    features = kind(settings, store).features
    prepared = store.prepare(corpus.clips, list(features.values()), workers=arguments.workers)
    print(
        f"{len(prepared.clips)} clips are ready for {', '.join(features) or 'no modality'}: "
        f"{prepared.computed} features computed, {prepared.cached} were there."
    )
    print_unusable(corpus, prepared.failures)
    if arguments.strict and prepared.failures:
        raise MediaError(f"{len(prepared.failures)} clips could not be used (--strict).")
    print(f"Wrote {store.root}")
    return 0


COMMAND = Command(
    name="features",
    summary="Extract and cache the features that a preset needs.",
    example="aver features --corpus ravdess/ --preset mrpn-compact",
    add_arguments=_add_arguments,
    run=_run,
)
