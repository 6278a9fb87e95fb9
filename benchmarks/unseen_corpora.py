"""Recognizers on corpora that they were not trained on: accuracy, calibration, selective accuracy.

    python benchmarks/unseen_corpora.py --data DIR --weights NAME|RUN [NAME|RUN ...]

Corpora: javanese-av (faces and voices; by default only the actors on whom no fusion was chosen) and
ASED (voices). A prediction of an emotion that the corpus lacks counts as wrong. Recognizers that
adapt to speakers do so on each speaker's own clips, without labels. Writes
docs/results/predictions/unseen-corpora.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora import Corpus, open_corpus
from aver.corpora.corpus import Selection
from aver.evaluation.calibration import calibration_error, selective_accuracy
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval, interval
from aver.evaluation.metrics import accuracy
from aver.features.store import FeatureStore
from aver.models.base.recognizer import load_recognizer
from aver.models.base.training_distance import UNLIKE
from aver.pretraining.cross_corpus import predict_corpus

RESULT = Path(__file__).parents[1] / "docs" / "results" / "predictions" / "unseen-corpora.json"
ACTORS = ("03", "04", "08", "09")
SHARES = (0.25, 0.5, 0.75)


def corpora(data: Path, actors: tuple[str, ...]) -> Iterator[Corpus]:
    """The test corpora."""
    filmed = open_corpus(data / "javanese-av", "manifest", config="javanese-av")
    yield Selection(speakers=actors).apply(filmed)
    yield open_corpus(data / "ased", "ased")


def measured(evaluation: Evaluation) -> dict[str, Any]:
    """Figures of one system on one corpus, fused and of each modality."""
    figures: dict[str, Any] = {
        "clips": evaluation.clip_count,
        "speakers": len(evaluation.speaker_ids),
        "protocol": evaluation.protocol,
        "emotions": sorted(set(evaluation.truth)),
    }
    for name in systems(evaluation):
        one = evaluation if name == "fused" else evaluation.of_modality(name)
        figures[name] = {
            "accuracy": bounds(interval(accuracy(one))),
            "calibration error": bounds(interval(calibration_error(one))),
            "accuracy on the most confident": {
                f"{share:.0%}": bounds(interval(curve))
                for share, curve in zip(SHARES, selective_accuracy(one, SHARES), strict=True)
            },
        }
    flagged = evaluation.predictions["flags"].str.contains(UNLIKE, regex=False)
    figures["flagged as unlike the training data"] = float(flagged.mean())
    return figures


def systems(evaluation: Evaluation) -> list[str]:
    """``"fused"``, and the modalities that some clip has."""
    by_modality = evaluation.by_modality.items()
    return ["fused", *(name for name, values in by_modality if not np.isnan(values).all())]


def bounds(share: Interval) -> dict[str, float | None]:
    """A value and its interval."""
    return {"value": share.value, "low": share.low, "high": share.high}


def shown(one: dict[str, float | None]) -> str:
    """In percent."""
    value, low, high = (None if one[k] is None else 100 * one[k] for k in ("value", "low", "high"))
    return f"{value:.1f}" if low is None else f"{value:.1f} [{low:.1f}, {high:.1f}]"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--weights", nargs="+", default=["faces-voices", "faces-voices-adapted"])
    parser.add_argument("--actors", nargs="+", default=list(ACTORS), help="of javanese-av")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    store, found = FeatureStore(), {}
    for weights in arguments.weights:
        for corpus in corpora(arguments.data, tuple(arguments.actors)):
            recognizer = load_recognizer(weights, store)
            evaluation = predict_corpus(recognizer, corpus, store, workers=arguments.workers)
            figures = measured(evaluation)
            found.setdefault(corpus.label, {})[Path(weights).name] = figures
            print(f"{corpus.label}, {weights}: {figures['clips']} clips, {figures['protocol']}")
            for name in systems(evaluation):
                one = figures[name]
                surest = one["accuracy on the most confident"]["50%"]
                print(
                    f"  {name}: accuracy {shown(one['accuracy'])}, calibration error "
                    f"{shown(one['calibration error'])}, surer half {shown(surest)}"
                )
            flagged = figures["flagged as unlike the training data"]
            print(f"  flagged as unlike the training data: {100 * flagged:.0f} %")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
