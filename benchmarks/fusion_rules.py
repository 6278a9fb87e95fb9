"""Ways to fuse the experts of the default recognizer, on a corpus that it was not trained on.

    python benchmarks/fusion_rules.py --data DIR [--weights faces-voices faces-voices-adapted]

The experts are those of the shipped recognizers; only the fusion differs. Its parameters are chosen
by log loss on javanese-av, actors 01, 02, 06 and 07. Every rule is measured twice: on these actors,
each with the parameters chosen on the three others, and on the actors 03, 04, 08 and 09. Rules: one
modality alone; the mean of the probabilities; the product; the product with a temperature for each
expert; with less weight for a modality that covers little of the clip; and with less weight for
clips unlike the training data (the rule that ships). Prints a table and
writes ``docs/results/predictions/fusion-rules.json``.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aver.corpora import open_corpus
from aver.corpora.corpus import Selection
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.base.recognizer import load_recognizer
from aver.models.expert_fusion.fusion_rule import (
    DISTANCE_POWERS,
    EXPONENTS,
    FULL_COVERAGE,
    Evidence,
    FusionRule,
)
from aver.models.expert_fusion.recognizer import ExpertFusion

RESULT = Path(__file__).parents[1] / "docs" / "results" / "predictions" / "fusion-rules.json"
CHOSEN_ON, MEASURED_ON = ("01", "02", "06", "07"), ("03", "04", "08", "09")

Evidences = Mapping[str, Evidence]
Labeled = tuple[Evidences, np.ndarray]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--weights", nargs="+", default=["faces-voices", "faces-voices-adapted"])
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    found = {}
    for weights in arguments.weights:
        actors = {one: evidence(weights, arguments.data, one) for one in CHOSEN_ON + MEASURED_ON}
        modalities = tuple(actors[CHOSEN_ON[0]][0])
        rows = {}
        for name, candidates in rules(modalities).items():
            held_out = [
                predicted(candidates, actors, tuple(set(CHOSEN_ON) - {one}), (one,))
                for one in CHOSEN_ON
            ]
            rows[name] = {
                "each actor by the others": figures(
                    *map(np.concatenate, zip(*held_out, strict=True))
                ),
                "measured on": figures(*predicted(candidates, actors, CHOSEN_ON, MEASURED_ON)),
            }
        found[Path(weights).name] = rows
        print(
            f"\n{weights}\n\n| rule | accuracy | log loss | calibration error |\n|---|---|---|---|"
        )
        for name, row in rows.items():
            pairs = [
                " / ".join(f"{one[key]:.{digits}f}" for one in row.values())
                for key, digits in (("accuracy", 1), ("log loss", 2), ("calibration error", 1))
            ]
            print(f"| {name} | {' | '.join(pairs)} |")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def evidence(weights: str, data: Path, actor: str) -> Labeled:
    """What the experts say about an actor's clips with both modalities, and their labels."""
    store = FeatureStore()
    recognizer = load_recognizer(weights, store)
    if not isinstance(recognizer, ExpertFusion):
        raise SystemExit(f"{weights} is no expert-fusion.")
    corpus = Selection(speakers=(actor,)).apply(
        open_corpus(data / "javanese-av", "manifest", config="javanese-av")
    )
    clips = store.prepare(corpus.clips, list(recognizer.features.values())).clips
    if recognizer.card.get("adapt"):
        recognizer = recognizer.with_features_from(SpeakerAdaptation(store, clips, missing_ok=True))
    found = recognizer.evidence(clips)
    known = np.all([one.known for one in found.values()], axis=0)
    labels = np.array([recognizer.classes.index(str(clip.emotion)) for clip in clips])
    return {name: one.of(known) for name, one in found.items()}, labels[known]


def predicted(
    candidates: list[FusionRule | None],
    actors: Mapping[str, Labeled],
    chosen_on: tuple[str, ...],
    tested: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels of some actors, by the rule that is best for others."""
    found, labels = joined([actors[one] for one in chosen_on])
    rule = min(candidates, key=lambda one: loss(fuse(one, found), labels))
    others, truth = joined([actors[one] for one in tested])
    return fuse(rule, others), truth


def joined(parts: list[Labeled]) -> Labeled:
    """Several actors as one."""
    evidences = {
        name: Evidence(
            *(
                np.concatenate([getattr(found[name], field) for found, _ in parts])
                for field in ("probabilities", "coverage", "distance")
            )
        )
        for name in parts[0][0]
    }
    return evidences, np.concatenate([labels for _, labels in parts])


def rules(modalities: tuple[str, ...]) -> dict[str, list[FusionRule | None]]:
    """Candidates of every rule; None is the mean of the probabilities."""
    exponents = [
        dict(zip(modalities, values, strict=True))
        for values in itertools.product(EXPONENTS, repeat=len(modalities))
    ]
    always = min(FULL_COVERAGE) * 1e-6
    alone = {
        name: [
            FusionRule({**dict.fromkeys(modalities, 0.0), name: value}, always, 0.0)
            for value in EXPONENTS
        ]
        for name in modalities
    }
    return {
        **{f"{name} alone, with a temperature": found for name, found in alone.items()},
        "mean": [None],
        "product": [FusionRule(dict.fromkeys(modalities, 1.0), always, 0.0)],
        "product, temperatures": [FusionRule(one, always, 0.0) for one in exponents],
        "product, temperatures, coverage": [
            FusionRule(one, coverage, 0.0) for one in exponents for coverage in FULL_COVERAGE
        ],
        "product, temperatures, coverage, distance": [
            FusionRule(one, coverage, power)
            for one in exponents
            for coverage in FULL_COVERAGE
            for power in DISTANCE_POWERS
        ],
    }


def fuse(rule: FusionRule | None, found: Evidences) -> np.ndarray:
    """Fused probabilities."""
    if rule is None:
        return np.mean([one.probabilities for one in found.values()], axis=0)
    return rule.fuse(found)


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean log loss."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, 1e-6)).mean())


def figures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy and calibration error (10 bins) in percent, and the log loss."""
    correct = probabilities.argmax(axis=1) == labels
    confidence = probabilities.max(axis=1)
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs(correct[bins == b].sum() - confidence[bins == b].sum()) for b in range(10)]
    return {
        "clips": len(labels),
        "accuracy": round(100 * float(correct.mean()), 1),
        "log loss": round(loss(probabilities, labels), 3),
        "calibration error": round(100 * float(sum(gaps)) / len(labels), 1),
    }


if __name__ == "__main__":
    main()
