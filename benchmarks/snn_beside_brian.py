"""The spiking voice recognizer on real clips and the same network in Brian2, on one core.

    python benchmarks/snn_beside_brian.py --corpus RAVDESS [--preset snn-audio-compact] [--clips 4]

Builds the layer of a preset and shows it a few clips of a corpus, learning and frozen. Brian2 gets
the same network (weights, windows, inhibition, learning rule, normalization) and the same rates as
one compiled program (C++ standalone mode) and draws its own spikes; its time is the time of the
main loop that it reports. Wall time: nothing else should run on the machine. Writes
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
from aver.models.layers.rate_coding import RateInputs
from aver.models.snn_cross_modal.network import INPUT, LAYER, UnimodalNetwork
from aver.spiking import Network

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
REPEATS = 5
GRID_MS = 50.0


def layer_and_rates(arguments: argparse.Namespace) -> tuple[Network, np.ndarray]:
    """The untrained network of one layer, and its input rates (clips, rows, columns)."""
    _, settings = load_preset(arguments.preset, parse_assignments(arguments.set, "--set"))
    clips = list(open_corpus(arguments.corpus, arguments.reader).clips)
    clips = clips[:: len(clips) // arguments.clips][: arguments.clips]
    inputs = RateInputs("snn-audio", {"audio": settings.layer})
    loaded = inputs.load(clips, FeatureStore())
    inputs.fit(loaded)
    network = UnimodalNetwork({"audio": settings.layer}, inputs.shapes, settings, seed=0)
    rates = inputs.rates(clips, loaded).rates_hz["audio"]
    return network.layers["audio"].network, np.stack([one for one in rates if one is not None])


def ours_ms(arguments: argparse.Namespace, learn: bool) -> tuple[list[float], float]:
    """Milliseconds per clip of each repetition, and spikes per clip."""
    network, rates = layer_and_rates(arguments)
    milliseconds = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        recording = network.run({INPUT: list(rates)}, learn=learn, threads=1)
        milliseconds.append(1000 * (time.perf_counter() - start) / len(rates))
    return milliseconds[1:], float(recording.counts[LAYER].sum(axis=1).mean())


def brian_ms(arguments: argparse.Namespace, learn: bool) -> list[float]:
    """Milliseconds per clip of Brian2's compiled program."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--build", folder, *(["--learn"] if learn else [])]
        subprocess.run([sys.executable, __file__, *sys.argv[1:], *options], check=True)
        milliseconds = []
        for _ in range(REPEATS):
            subprocess.run([f"{folder}/main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            seconds = float(Path(folder, "results/last_run_info.txt").read_text().split()[0])
            milliseconds.append(1000 * seconds / arguments.clips)
    return milliseconds


def build(arguments: argparse.Namespace) -> None:
    """Write and compile Brian2's program of all clips."""
    import brian2 as b2
    from tests.spiking.brian_twin import BrianTwin

    b2.set_device("cpp_standalone", directory=arguments.build, build_on_run=False)
    network, rates = layer_and_rates(arguments)
    timing, intensity = network.simulation.timing, network.simulation.intensity
    twin = BrianTwin(network, learn=arguments.learn, poisson=True)
    twin.normalize_before_each_clip()
    whole_ms = timing.stimulus_ms + timing.rest_ms
    steps, shown = (round(length / GRID_MS) for length in (whole_ms, timing.stimulus_ms))
    every = (intensity.start * rates).reshape(len(rates), 1, -1).repeat(steps, axis=1)
    every[:, shown:] = 0.0
    by_time = b2.TimedArray(
        every.reshape(len(rates) * steps, -1).astype(float) * b2.Hz, dt=GRID_MS * b2.ms
    )
    source = twin.sources[INPUT]
    source.namespace = {"by_time": by_time}
    # A coarser clock: setting the rates in every step would slow Brian2 down needlessly.
    source.run_regularly("rates = by_time(t, i)", dt=GRID_MS * b2.ms, when="start")
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
