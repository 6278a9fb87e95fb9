"""`aver features`: extract the features that a preset needs, before training."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_list_argument,
    add_work_arguments,
    corpus_of,
    help_group,
    parse_assignments,
    print_path,
    print_unusable,
)


def _add_arguments(parser: ArgumentParser) -> None:
    add_corpus_arguments(parser, several=True)
    system = help_group(parser, "system")
    system.add_argument(
        "--preset",
        default="mrpn-compact",
        metavar="NAME",
        help="name, see 'aver list presets', or a YAML file",
    )
    add_list_argument(system, "--set", "settings to change in the preset")
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver.errors import MediaError
    from aver.features.store import FeatureStore
    from aver.models.base.presets import load_preset

    corpus = corpus_of(arguments)
    store = FeatureStore(arguments.cache)
    kind, settings = load_preset(arguments.preset, parse_assignments(arguments.set, "--set"))
    features = kind(settings, store).features
    prepared = store.prepare(corpus.clips, list(features.values()), workers=arguments.workers)
    print(
        f"{len(prepared.clips)} clips are ready for {', '.join(features) or 'no modality'}: "
        f"{prepared.computed} features computed, {prepared.cached} from the cache."
    )
    print_unusable(corpus, prepared.failures)
    if arguments.strict and prepared.failures:
        raise MediaError(f"{len(prepared.failures)} clips cannot be used (--strict).")
    print_path(store.root)
    return 0


COMMAND = Command(
    name="features",
    summary="Extract and cache the features that a preset needs.",
    example="aver features --corpus ravdess/ --preset mrpn-compact",
    add_arguments=_add_arguments,
    run=_run,
)
