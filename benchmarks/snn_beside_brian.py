"""The spiking voice on real clips, beside the same network in Brian2, on one core.

    python benchmarks/snn_beside_brian.py --corpus RAVDESS [--preset snn-audio-compact] [--clips 4]

Builds the layer of a preset and shows it a few clips of a corpus, learning and frozen. Brian2 gets
the same network (weights, windows, inhibition, learning rule, normalisation) and the same rates as
one compiled program (C++ standalone mode) and draws its own spikes; its time is its own account of
the main loop. Seconds by the clock, so that nothing else should run. Writes
benchmarks/results/snn_beside_brian.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from aver.cli.arguments import parse_assignments
from aver.corpora import open_corpus
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.layers.rate_coding import LayerInputs, feature_shape, load_layer_clips
from aver.models.snn_cross_modal.network import INPUT, POPULATION, SpikingLayer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
REPEATS = 5
REST_PARTS_MS = 50.0


def layer_and_rates(arguments: argparse.Namespace) -> tuple[SpikingLayer, np.ndarray]:
    """The untrained layer, and rates (clips, rows, columns) as it is shown them."""
    _, settings = load_preset(arguments.preset, parse_assignments(arguments.set, "--set"))
    clips = list(open_corpus(arguments.corpus, arguments.reader).clips)
    clips = clips[:: len(clips) // arguments.clips][: arguments.clips]
    feature = settings.layer.make_feature()
    loaded = load_layer_clips(clips, feature, FeatureStore())
    inputs = LayerInputs(settings.layer.coding, feature_shape(feature))
    inputs.fit(loaded)
    shape = inputs.input_shape
    layer = SpikingLayer(
        settings.layer.dynamics,
        settings.layer.features,
        input_shape=shape,
        windows=settings.layer.windows(shape),
    )
    return layer, np.stack([rates for rates in inputs.rates_hz(loaded) if rates is not None])


def ours_ms(arguments: argparse.Namespace, learn: bool) -> tuple[list[float], float]:
    """Milliseconds per clip, and spikes per clip, over all clips again and again."""
    layer, rates = layer_and_rates(arguments)
    network, found = layer.network, []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        recording = network.run({INPUT: list(rates)}, learn=learn, threads=1)
        found.append(1000 * (time.perf_counter() - start) / len(rates))
    return found[1:], float(recording.counts[POPULATION].sum(axis=1).mean())


def brian_ms(arguments: argparse.Namespace, learn: bool) -> list[float]:
    """Milliseconds per clip of Brian2's compiled program."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--build", folder, *(["--learn"] if learn else [])]
        subprocess.run([sys.executable, __file__, *sys.argv[1:], *options], check=True)
        found = []
        for _ in range(REPEATS):
            subprocess.run([f"{folder}/main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            seconds = float(Path(folder, "results/last_run_info.txt").read_text().split()[0])
            found.append(1000 * seconds / arguments.clips)
    return found


def build(arguments: argparse.Namespace) -> None:
    """Write and compile Brian2's program of all clips."""
    import brian2 as b2
    from tests.spiking.brian_twin import BrianTwin

    b2.set_device("cpp_standalone", directory=arguments.build, build_on_run=False)
    layer, rates = layer_and_rates(arguments)
    timing, intensity = layer.network.simulation.timing, layer.network.simulation.intensity
    twin = BrianTwin(layer.network, learn=arguments.learn, poisson=True)
    twin.normalize_before_each_clip()
    whole_ms = timing.stimulus_ms + timing.rest_ms
    steps, shown = (round(length / REST_PARTS_MS) for length in (whole_ms, timing.stimulus_ms))
    every = (intensity.start * rates).reshape(len(rates), 1, -1).repeat(steps, axis=1)
    every[:, shown:] = 0.0
    by_time = b2.TimedArray(
        every.reshape(len(rates) * steps, -1).astype(float) * b2.Hz, dt=REST_PARTS_MS * b2.ms
    )
    source = twin.sources[INPUT]
    source.namespace = {"by_time": by_time}
    # A clock of its own: rates written in every step would slow Brian2 for nothing.
    source.run_regularly("rates = by_time(t, i)", dt=REST_PARTS_MS * b2.ms, when="start")
    twin.brian.add(*source.contained_objects)
    twin.brian.run(len(rates) * whole_ms * b2.ms)
    b2.device.build(directory=arguments.build, compile=True, run=False)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--reader", default="ravdess")
    parser.add_argument("--preset", default="snn-audio-compact")
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--clips", type=int, default=4)
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--learn", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build:
        build(arguments)
        return
    result: dict[str, Any] = {"preset": arguments.preset, "clips": arguments.clips}
    for condition, learn in (("learning", True), ("frozen", False)):
        ours, spikes = ours_ms(arguments, learn)
        brian = brian_ms(arguments, learn)
        ratio = statistics.median(brian) / statistics.median(ours)
        result[condition] = {
            "aver_ms": ours, "brian2_cpp_ms": brian, "ratio": ratio, "spikes_per_clip": spikes
        }  # fmt: skip
        print(
            f"{condition}: aver {statistics.median(ours):.1f} ms a clip, Brian2 "
            f"{statistics.median(brian):.1f} ms, ratio {ratio:.1f}, {spikes:.0f} spikes a clip"
        )
    path = ROOT / "benchmarks/results/snn_beside_brian.json"
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
