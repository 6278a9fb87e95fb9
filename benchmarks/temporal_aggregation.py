"""What segments cost: independent networks against shared weights, and seconds along N.

The first part gives one network with shared weights and N independent ones the very same segments
and takes turns: forward, loss, backward and SGD step for training; fused answers and those of each
half for prediction. Ratios are of medians; the bar is 1.15. The second part fits the recogniser on
javanese-av from a warm cache and gives the seconds of an epoch (training and validation) and of a
predicted clip for each N. Both are measured with the paper's convolutional blocks in the preset's
sizes, and with what the preset itself reads segments by. Seconds on a CPU are of the process's own
computing time, so that other work on the machine counts little; on a GPU they are of the clock.

    python benchmarks/temporal_aggregation.py [--corpus DIR] [--preset NAME] [--segments 1 3 5 8 10]
                                              [--epochs 2] [--rounds 5] [--out DIR]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from aver.corpora.corpus import open_corpus
from aver.execution.files import write_json
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.recognizer import TemporalAggregation
from aver.models.temporal_aggregation.segments import SegmentBatch
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings
from aver.training.optimization import make_optimizer
from aver.training.seeding import fixed_threads
from aver.training.task import ParameterGroup

BAR = 1.15
CLASSES = 6


def drawn_segments(settings: TemporalAggregationSettings, clips: int) -> SegmentBatch:
    """Segments of noise in the sizes of the settings."""
    generator = torch.Generator().manual_seed(0)
    size_px, channels = settings.images["size_px"], 1 if settings.gray else 3
    images = (clips, settings.segments, channels, size_px, size_px)
    audio = (clips, settings.segments, 1, settings.band_count, settings.column_count)
    everyone = torch.ones(clips, dtype=torch.bool)
    return SegmentBatch(
        {
            "video": torch.randint(0, 256, images, generator=generator).byte(),
            "audio": torch.randn(audio, generator=generator).half(),
        },
        torch.zeros(clips, settings.segments, dtype=torch.bool),
        {"video": everyone, "audio": everyone},
        torch.arange(clips) % CLASSES,
    )


def steps_of(
    settings: TemporalAggregationSettings, batch: SegmentBatch
) -> dict[str, Callable[[], None]]:
    """One step of training, and one batch of prediction."""
    channels, size_px = batch.inputs["video"].shape[2:4]
    shapes = {"video": (channels, size_px, size_px), "audio": (settings.band_count,)}
    network = TemporalNetwork(settings, shapes, CLASSES).to(batch.labels.device)
    optimizer = make_optimizer([ParameterGroup(tuple(network.parameters()))], settings.training)

    def train() -> None:
        network.train()
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(network(batch), batch.labels).backward()
        optimizer.step()

    def predict() -> None:
        network.eval()
        with torch.no_grad():
            network.predictions(batch, settings.modalities)

    return {"training": train, "prediction": predict}


def seconds_of(step: Callable[[], None], on_gpu: bool) -> float:
    """Seconds of one step: of the processor on a CPU, of the clock on a GPU."""
    clock = time.perf_counter if on_gpu else time.process_time
    start_s = clock()
    step()
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - start_s


def compare_weights(
    settings: TemporalAggregationSettings, rounds: int, device: str
) -> dict[str, Any]:
    """Independent networks against shared weights on the same segments, in turns."""
    batch = drawn_segments(settings, settings.training.batch_size).to(device)
    sides = {
        weights: steps_of(replace(settings, weights=weights), batch)
        for weights in ("independent", "shared")
    }
    figures: dict[str, Any] = {"segments": settings.segments, "clips": batch.clips}
    for part in ("training", "prediction"):
        taken: dict[str, list[float]] = {weights: [] for weights in sides}
        for number in range(rounds + 1):
            for weights in sorted(sides, reverse=number % 2 == 1):
                taken[weights].append(seconds_of(sides[weights][part], device == "cuda"))
        medians = {weights: float(np.median(values[1:])) for weights, values in taken.items()}
        ratio = medians["independent"] / medians["shared"]
        figures[part] = {**medians, "ratio": ratio, "bar": BAR, "seconds": taken}
    return figures


def along_segments(
    settings: TemporalAggregationSettings,
    corpus: Path,
    counts: list[int],
    epochs: int,
    device: Literal["cpu", "cuda"],
) -> list[dict[str, Any]]:
    """Seconds of an epoch and of a predicted clip, from a warm cache, for each N.

    Answers are computed on the CPU whatever the device.
    """
    clips = list(open_corpus(corpus, "manifest", config="javanese-av").clips)
    speakers = sorted({clip.speaker for clip in clips if clip.speaker is not None})
    train = [clip for clip in clips if clip.speaker not in speakers[:2]]
    validation = [clip for clip in clips if clip.speaker == speakers[0]]
    test = [clip.without_labels() for clip in clips if clip.speaker == speakers[1]]
    store = FeatureStore()
    training = replace(settings.training, epochs=epochs, patience=epochs, device=device)
    on_gpu = device == "cuda"
    rows = []
    for count in counts:
        chosen = replace(settings, segments=count, training=training)
        store.prepare(clips, list(TemporalAggregation(chosen, store).features.values()))
        recognizer = TemporalAggregation(chosen, store)
        loading_s = seconds_of(lambda r=recognizer: r.task(train, validation, 0), on_gpu)  # type: ignore[misc]
        fit_s = seconds_of(lambda r=recognizer: r.fit(train, validation), on_gpu)  # type: ignore[misc]
        predict_s = seconds_of(lambda r=recognizer: r.predict(test), False)  # type: ignore[misc]
        rows.append(
            {
                "segments": count,
                "training_clips": len(train),
                "epochs": epochs,
                "loading_s": loading_s,
                "epoch_s": (fit_s - loading_s) / epochs,
                "predicted_clip_s": predict_s / len(test),
            }
        )
    return rows


def measure(settings: TemporalAggregationSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Both parts for one way to read segments, printed as they come."""
    weights = compare_weights(settings, arguments.rounds, arguments.device)
    print(f"N = {settings.segments}      independent     shared      ratio")
    for part in ("training", "prediction"):
        f = weights[part]
        print(
            f"{part:10s}  {f['independent']:9.3f} s  {f['shared']:7.3f} s   {f['ratio']:7.3f}"
            f"   (bar: {BAR})"
        )
    rows = along_segments(
        settings, arguments.corpus, arguments.segments, arguments.epochs, arguments.device
    )
    if rows:
        print("  N   s per epoch   s per predicted clip")
    for row in rows:
        print(f"{row['segments']:3d}   {row['epoch_s']:11.2f}   {row['predicted_clip_s']:20.4f}")
    return {"weights": weights, "along_segments": rows}


def main(words: list[str] | None = None) -> None:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = Path(os.environ.get("AVER_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
    parser.add_argument("--corpus", type=Path, default=data / "javanese-av")
    parser.add_argument("--preset", default="temporal-aggregation-compact")
    parser.add_argument("--segments", type=int, nargs="*", default=[1, 3, 5, 8, 10])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args(words)
    _, settings = load_preset(arguments.preset)
    if settings.image_feature != "face-crops":
        parser.error(f"{arguments.preset} does not look at pictures, which is what is measured.")
    ways = {"the paper's blocks": replace(settings, branches={})}
    if settings.branches:
        ways[arguments.preset] = settings
    found: dict[str, Any] = {}
    with fixed_threads(settings.training.threads):
        for name, chosen in ways.items():
            print(f"{name}:")
            found[name] = measure(chosen, arguments)
    target = arguments.out / "temporal_aggregation.json"
    figures = {"preset": arguments.preset, "device": arguments.device, "ways": found}
    write_json(target, {**figures, "threads": settings.training.threads})
    print(f"Wrote {target}")


if __name__ == "__main__":
    main()
