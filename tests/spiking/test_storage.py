"""A loaded network continues exactly as if it had not been saved."""

import json
from pathlib import Path

import numpy as np
import pytest

from aver.errors import CheckpointError
from aver.spiking import (
    Homeostasis,
    Network,
    Population,
    Simulation,
    TargetTraceRule,
    Windows,
    load_network,
    save_network,
)

VERSION_0_1 = Path(__file__).parents[1] / "fixtures" / "version_0_1" / "spiking"


def network_of(between_clips):
    network = Network(Simulation(between_clips=between_clips), seed=9)
    network.add_source("audio", (6, 24), lag_ms=5.0)
    network.add_population("ear", Population(9, 4, homeostasis=Homeostasis(start_mv=8.0)))
    network.add_population("top", Population(6, homeostasis=Homeostasis(start_mv=8.0)))
    along = Windows((6, 6), (6, 6))
    network.connect("audio", "ear", windows=along, delay_ms=np.arange(144) % 7, normal_sum=8.0)
    network.connect("ear", "top", TargetTraceRule(), delay_ms=4.0, normal_sum=20.0)
    return network


@pytest.mark.parametrize("between_clips", ["reset", "carry"])
def test_a_loaded_network_continues_exactly(tmp_path, between_clips):
    clips = np.random.default_rng(0).uniform(0, 90, (8, 6, 24))
    network = network_of(between_clips)
    network.run({"audio": clips[:4]})
    save_network(network, tmp_path / "network.safetensors")
    loaded = load_network(tmp_path / "network.safetensors")
    ours, theirs = network.run({"audio": clips[4:]}), loaded.run({"audio": clips[4:]})
    for name in ("ear", "top"):
        assert ours.counts[name].sum() > 10
        assert np.array_equal(ours.counts[name], theirs.counts[name])
        assert np.array_equal(network.theta_mv(name), loaded.theta_mv(name))
    for name in network.connections:
        assert np.array_equal(network.weights(name), loaded.weights(name))
    frozen = [n.run({"audio": clips}, learn=False).counts["top"] for n in (network, loaded)]
    assert np.array_equal(*frozen)


def test_a_network_of_version_0_1_continues_with_the_same_spikes():
    """It was saved after four clips; the counts are those of the same clips shown again."""
    network = load_network(VERSION_0_1 / "network.safetensors")
    clips = np.random.default_rng(0).uniform(0, 90, (4, 6, 8))
    counts = network.run({"sound": clips}).counts
    expected = json.loads((VERSION_0_1 / "counts.json").read_text())
    assert counts["ear"].sum() > 100
    assert {name: found.tolist() for name, found in counts.items()} == expected
    assert network.simulation.intensity.max_retries == 2


def test_foreign_and_damaged_files_are_refused(tmp_path):
    from safetensors.numpy import save_file

    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / "missing.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"no network")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / "broken.safetensors")
    save_file({"a": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="reads spiking networks"):
        load_network(tmp_path / "other.safetensors")
