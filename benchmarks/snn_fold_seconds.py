"""Processor seconds of one fold of a spiking recognizer: fit and predict, without features.

    python benchmarks/snn_fold_seconds.py --corpus javanese-av --reader manifest \
      --corpus-settings config=javanese-av --preset snn-cross-modal-compact --folds 4

Uses the public interface of the recognizer with the settings of a preset, on one thread. A first
fold, which compiles the kernels, is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from aver.cli.arguments import parse_assignments
from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.splits import make_split

RESULTS = Path(__file__).parent / "results" / "snn_fold_seconds.json"


def seconds_of(preset: str, overrides: dict, subsets: list[list[Clip]]) -> dict[str, float]:
    """Fit on the first two subsets and predict the third."""
    kind, settings = load_preset(preset, overrides)
    recognizer = kind(settings, FeatureStore())
    started_s = time.process_time()
    recognizer.fit(subsets[0], subsets[1])
    fitted_s = time.process_time()
    recognizer.predict([clip.without_labels() for clip in subsets[2]])
    return {"fit_s": fitted_s - started_s, "predict_s": time.process_time() - fitted_s}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--reader", required=True)
    parser.add_argument("--corpus-settings", nargs="*", default=[])
    parser.add_argument("--preset", default="snn-cross-modal-compact")
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--folds", type=int, default=4)
    arguments = parser.parse_args()
    chosen = parse_assignments(arguments.corpus_settings, "--corpus-settings")
    corpus = open_corpus(arguments.corpus, arguments.reader, **chosen)
    split = make_split(corpus, "speaker-kfold", folds=arguments.folds)
    overrides = parse_assignments(arguments.set, "--set")
    kind, settings = load_preset(arguments.preset, overrides)
    store = FeatureStore()
    store.prepare(list(corpus.clips), list(kind(settings, store).features.values()))
    seconds = {}
    with threadpool_limits(1):
        for number in (1, 0):
            fold = split.folds[number]
            subsets = [list(corpus.select(ids)) for ids in (fold.train, fold.validation, fold.test)]
            seconds = seconds_of(arguments.preset, overrides, subsets)
    seconds["clips"] = [len(subset) for subset in subsets]
    print(arguments.preset, json.dumps(seconds))
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept[f"{arguments.preset} on {arguments.corpus.name}"] = seconds
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
