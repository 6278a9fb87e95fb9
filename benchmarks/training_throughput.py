"""Speed of training a recognizer from a warm feature cache, relative to a bare torch loop.

One side is `MRPN.fit`: reading the cache, drawing slices and batches, validation, early stopping,
keeping the best weights. The other side runs the same steps in a bare loop over batches that were
drawn beforehand and are held in memory as tensors: forward, loss, backward, AdamW, running average
of the weights, and the same validation. Both run for the same number of epochs, alternately; the
ratio is that of the medians.

    python benchmarks/training_throughput.py [--corpus DIR] [--epochs 20] [--rounds 5] [--out DIR]
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.corpora.corpus import open_corpus
from aver.execution.files import write_json
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.mrpn.recognizer import MRPN
from aver.training.optimization import WeightAverage, make_schedule
from aver.training.seeding import derived_seed, fixed_threads

DRAWN_EPOCHS = 2  # used alternately: hundreds of megabytes of batches would slow the bare loop


def fitted_s(recognizer: MRPN, train: list[Clip], validation: list[Clip]) -> float:
    """Seconds of a whole fit."""
    start_s = time.perf_counter()
    recognizer.fit(train, validation)
    return time.perf_counter() - start_s


def bare_s(recognizer: MRPN, train: list[Clip], validation: list[Clip]) -> float:
    """Seconds of the same steps on tensors in memory."""
    settings = recognizer.settings.training
    task = recognizer.task(train, validation, seed=0)
    epochs = []
    for epoch in range(DRAWN_EPOCHS):
        generator = torch.Generator().manual_seed(derived_seed(0, "batches", epoch))
        epochs.append(list(task.training_batches(generator)))
    validation_batches = list(task.validation_batches())
    network = task.network
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    schedule: Any = make_schedule(optimizer, settings, task.steps_per_epoch)
    average = WeightAverage(network, settings.ema_decay) if settings.ema_decay else None
    with fixed_threads(settings.threads):
        start_s = time.perf_counter()
        for epoch in range(settings.epochs):
            network.train()
            for batch in epochs[epoch % DRAWN_EPOCHS]:
                optimizer.zero_grad()
                task.loss(batch).value.backward()
                optimizer.step()
                if settings.schedule == "cosine":
                    schedule.step()
                if average is not None:
                    average.update(network)
            network.eval()
            with torch.no_grad():
                for batch in validation_batches:
                    task.loss(batch)
        return time.perf_counter() - start_s


def measure(clips: list[Clip], epochs: int, rounds: int) -> dict[str, Any]:
    """Measure both sides alternately, and their ratio."""
    store = FeatureStore()
    _, settings = load_preset(
        "mrpn-compact", {"training.epochs": epochs, "training.patience": epochs}
    )
    speakers = sorted({clip.speaker for clip in clips if clip.speaker is not None})
    train = [clip for clip in clips if clip.speaker not in speakers[:1]]
    validation = [clip for clip in clips if clip.speaker in speakers[:1]]
    store.prepare(clips, list(MRPN(settings, store).features.values()))
    fitted_s(MRPN(replace_epochs(settings, 1), FeatureStore()), train, validation)  # imports
    seconds: dict[str, list[float]] = {"fit": [], "bare": []}
    for number in range(rounds):
        for side in ("fit", "bare") if number % 2 == 0 else ("bare", "fit"):
            run = fitted_s if side == "fit" else bare_s
            seconds[side].append(run(MRPN(settings, FeatureStore()), train, validation))
    fit_s, bare = (float(np.median(seconds[side])) for side in ("fit", "bare"))
    return {
        "clips": len(train),
        "epochs": epochs,
        "rounds": rounds,
        "threads": settings.training.threads,
        "fit_clips_per_s": len(train) * epochs / fit_s,
        "bare_clips_per_s": len(train) * epochs / bare,
        "ratio": bare / fit_s,
        "seconds": seconds,
    }


def replace_epochs(settings: Any, epochs: int) -> Any:
    """The same settings for another number of epochs."""
    return replace(settings, training=replace(settings.training, epochs=epochs))


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("AVER_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
    parser.add_argument("--corpus", type=Path, default=data / "javanese-av")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    corpus = open_corpus(arguments.corpus, "manifest", config="javanese-av")
    figures = measure(list(corpus.clips), arguments.epochs, arguments.rounds)
    print("                       clips/s")
    print(f"fit from warm cache    {figures['fit_clips_per_s']:8.1f}")
    print(f"bare loop in memory    {figures['bare_clips_per_s']:8.1f}")
    print(f"ratio                  {figures['ratio']:8.3f}")
    target = arguments.out / "training_throughput.json"
    write_json(target, figures)
    print(f"Wrote {target}")


if __name__ == "__main__":
    main()
