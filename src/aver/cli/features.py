"""`aver features`: extract features before training, or export them to other programs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_corpus_arguments,
    add_list_argument,
    add_stream_arguments,
    add_work_arguments,
    corpus_of,
    feature_store,
    help_group,
    parse_assignments,
    print_path,
    print_unusable,
)

if TYPE_CHECKING:
    from aver.corpora.clip import Clip
    from aver.features.feature import Feature
    from aver.features.store import FeatureStore


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
    system.add_argument(
        "--feature",
        metavar="NAME",
        help="one feature instead of those of a preset, see 'aver list features'; --set then "
        "changes its settings",
    )
    add_stream_arguments(parser)
    help_group(parser, "output").add_argument(
        "--export",
        type=Path,
        metavar="FILE",
        help="write the feature with ids and labels as .csv, .parquet or .npy; a preset with "
        "several features gives one file each, FILE-FEATURE",
    )
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver.corpora.other_files import by_suffix, other_files
    from aver.errors import MediaError
    from aver.features.export import check_export_path

    if arguments.export is not None:
        check_export_path(arguments.export)  # before the work
    corpus = corpus_of(arguments)
    store = feature_store(arguments)
    features = _features(arguments, store)
    video, audio = arguments.video_stream, arguments.audio_stream
    clips = [replace(clip, video_stream=video, audio_stream=audio) for clip in corpus.clips]
    prepared = store.prepare(clips, list(features.values()), workers=arguments.workers)
    print(
        f"{len(prepared.clips)} clips are ready for {', '.join(features) or 'no modality'}: "
        f"{prepared.computed} features computed, {prepared.cached} from the cache."
    )
    print_unusable(corpus, prepared.failures)
    others = by_suffix(other_files(corpus), "besides")
    if others:
        print(others, file=sys.stderr)
    if arguments.strict and prepared.failures:
        raise MediaError(f"{len(prepared.failures)} clips cannot be used (--strict).")
    if arguments.export is not None:
        _export(arguments.export, prepared.clips, features, store)
    elif not arguments.no_cache:
        print_path(store.root)
    return 0


def _features(arguments: Namespace, store: FeatureStore) -> dict[str, Feature]:
    """The features of the preset by branch, or the one that is named."""
    from aver.features.feature import feature_from_settings
    from aver.models.base.presets import load_preset

    changed = parse_assignments(arguments.set, "--set")
    if arguments.feature is not None:
        return {arguments.feature: feature_from_settings(arguments.feature, changed)}
    kind, settings = load_preset(arguments.preset, changed)
    return dict(kind(settings, store).features)


def _export(
    path: Path, clips: Sequence[Clip], features: dict[str, Feature], store: FeatureStore
) -> None:
    from aver.features.export import feature_table, write_features

    for feature in features.values():
        several = len(features) > 1
        target = path.with_stem(f"{path.stem}-{feature.name}") if several else path
        table = feature_table(clips, feature, store)
        for written in write_features(table, target):
            print_path(written)
        if table.left_out:
            print(f"Not exported, since they have no value per row: {', '.join(table.left_out)}.")


COMMAND = Command(
    name="features",
    summary="Extract features; cache them, or export them to CSV, Parquet or NPY.",
    example="aver features --corpus ravdess/ --feature audio-functionals --export features.csv",
    add_arguments=_add_arguments,
    run=_run,
)
