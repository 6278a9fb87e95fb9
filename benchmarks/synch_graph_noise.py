"""How long the method of Synch-Graph must train until it classifies noise, and with which settings.

Clips are spikes of random neurons at random times, independent of their class. All clips, test
clips included, are one graph with edges between the clips of a class, as in the paper (LEAKS).

    python benchmarks/synch_graph_noise.py [--recipe printed] [--clips 360] [--seed 0]

Prints one line for each recipe, and writes all results to ``results/synch_graph_noise.json``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from aver.models.synch_graph.graph import ClipSpikes
from aver.models.synch_graph.read_out import GraphReadOut, SpikingClips
from aver.models.synch_graph.settings import GraphSettings, Pooling, SynchGraphSettings
from aver.spiking import Spikes
from aver.training.settings import TrainingSettings

RESULTS = Path(__file__).parent / "results" / "synch_graph_noise.json"
CLASSES, MAPS, SPIKES, DURATION_MS = 6, 20, 20, 350
POSITIONS = {"video": 4, "audio": 4}


@dataclass(frozen=True)
class Recipe:
    """A training; the defaults are what the paper prints, with the pooling that it cites."""

    epochs: int = 500
    learning_rate: float = 1e-4
    dropout: float = 0.5
    hidden: int = 64
    window_ms: float = 150.0
    pooling: Pooling = "sum"


PRINTED = Recipe()
RECIPES = {
    "printed": PRINTED,
    "printed, mean over nodes": replace(PRINTED, pooling="mean"),
    "printed, 2,000 epochs": replace(PRINTED, epochs=2000),
    "rate 1e-3": replace(PRINTED, learning_rate=1e-3),
    "no dropout": replace(PRINTED, dropout=0.0),
    "quick": Recipe(130, 0.05, 0.0, 16, 20.0, "mean"),
}


def noise(clips: int, seed: int) -> list[SpikingClips]:
    """Balanced clips in shares of 30 % for training, 12 % for validation, the rest for testing."""
    rng = np.random.default_rng(seed)
    spikes = [
        ClipSpikes.of(
            {
                name: Spikes(
                    rng.uniform(0, DURATION_MS, SPIKES),
                    rng.integers(0, positions * MAPS, SPIKES),
                )
                for name, positions in POSITIONS.items()
            },
            MAPS,
        )
        for _ in range(clips)
    ]
    labels = rng.permutation(np.arange(clips) % CLASSES)
    borders = [round(0.3 * clips), round(0.4167 * clips)]
    return [
        SpikingClips([str(k) for k in rows], [spikes[k] for k in rows], labels[rows])
        for rows in np.split(np.arange(clips), borders)
    ]


def accuracy(recipe: Recipe, clips: int, seed: int) -> dict[str, float]:
    """Share of test clips that are classified correctly, with its exact 95 % interval."""
    train, validation, test = noise(clips, seed)
    graph = GraphSettings(
        window_ms=recipe.window_ms,
        hidden=recipe.hidden,
        dropout=recipe.dropout,
        pooling=recipe.pooling,
    )
    training = TrainingSettings(
        epochs=recipe.epochs,
        patience=recipe.epochs,
        learning_rate=recipe.learning_rate,
        weight_decay=0.0,
        schedule="step",
        divide_every_epochs=recipe.epochs,
    )
    read_out = GraphReadOut(SynchGraphSettings(graph=graph, training=training), POSITIONS, CLASSES)
    probabilities = read_out.fit_predict_leaking(train, validation, test, seed=seed)
    right = int((probabilities.argmax(axis=1) == test.labels).sum())
    low, high = binomtest(right, len(test.labels)).proportion_ci(method="exact")
    return {
        "accuracy": right / len(test.labels),
        "low": float(low),
        "high": float(high),
        "test clips": len(test.labels),
    }


def main() -> None:
    """Measure the recipes that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", nargs="*", choices=tuple(RECIPES), default=list(RECIPES))
    parser.add_argument("--clips", type=int, default=360)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for name in arguments.recipe:
        recipe = RECIPES[name]
        result = accuracy(recipe, arguments.clips, arguments.seed)
        found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
        found[name] = {
            "recipe": asdict(recipe),
            "clips": arguments.clips,
            "seed": arguments.seed,
            **result,
        }
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        print(
            f"{name}: {100 * result['accuracy']:.1f} % "
            f"[{100 * result['low']:.1f}, {100 * result['high']:.1f}] of "
            f"{result['test clips']} test clips; chance {100 / CLASSES:.1f} %",
            flush=True,
        )


if __name__ == "__main__":
    main()
