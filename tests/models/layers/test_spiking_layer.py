"""Spiking layers and their links: silent links, dynamics and settings."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import AUDIO_LAYER

from aver.errors import SettingsError
from aver.models.layers.spiking_layer import DynamicsSettings, Layer, Link, SpikingLayers
from aver.models.snn_cross_modal.settings import (
    EarlyFusionSettings,
    LayerSettings,
    OneLayerSettings,
    TwoLayerSettings,
)
from aver.models.synch_graph.settings import RecurrentSettings
from aver.spiking import Spikes, Windows


def test_a_silent_link_changes_nothing() -> None:
    windows = Windows((8, 4), (8, 4))
    layer = {"layer": Layer(6, (8, 16), windows, lag_ms=5.0)}
    alone, linked = (
        SpikingLayers(AUDIO_LAYER.dynamics, layer, links, seed=3)
        for links in ([], [Link("video", "layer", 4.0, neurons=20)])
    )
    clips = {"input": list(np.random.default_rng(0).uniform(0, 63.75, (12, 8, 16)))}
    silence = {"video": [Spikes(np.empty(0), np.empty(0, int))] * 12}
    order = np.random.default_rng(1).permutation(12)
    alone.learn(clips, [order])
    linked.learn(clips | silence, [order])
    weights = "weights/input->layer"
    assert np.array_equal(alone.arrays()[weights], linked.arrays()[weights])
    one = alone.observe(clips, range(12), record_spikes=True)
    two = linked.observe(clips | silence, range(12), record_spikes=True)
    assert one.counts["layer"].sum() > 100
    for a, b in zip(one.spikes["layer"], two.spikes["layer"], strict=True):
        assert np.array_equal(a.neuron, b.neuron)
        assert np.array_equal(a.time_ms, b.time_ms)


def test_saved_arrays_restore_a_network_and_foreign_ones_are_refused() -> None:
    layers = {
        name: Layer(5, (4, 8), Windows((2, 4), (2, 4)), source=f"{name} input")
        for name in ("video", "audio")
    }
    links = [Link("video", "audio", 3.0), Link("audio", "video", 3.0)]
    one, two = (SpikingLayers(AUDIO_LAYER.dynamics, layers, links, seed=k) for k in (1, 2))
    clips = np.random.default_rng(0).uniform(0, 63.75, (6, 4, 8))
    shown = {f"{name} input": list(clips) for name in layers}
    one.learn(shown, [np.arange(6)])
    two.restore(one.arrays())
    assert all(np.array_equal(array, two.arrays()[name]) for name, array in one.arrays().items())
    assert one.parameters == 2 * (4 * 8 * 5 + 20) + 2 * 20 * 20
    arrays = one.arrays()
    with pytest.raises(ValueError, match="theta/audio is missing or foreign"):
        two.restore({name: v for name, v in arrays.items() if name != "theta/audio"})


def test_dynamics_change_only_what_they_name() -> None:
    base = DynamicsSettings().resolve()
    changed = DynamicsSettings(
        rule="power-law", reach="all", theta_step_mv=0.3, intensity=2.0, passes=3, stimulus_ms=100.0
    ).resolve()
    assert type(changed.rule).__name__ == "PowerLawPairRule"
    assert changed.inhibition.reach == "all"
    assert changed.inhibition.to_excitatory == base.inhibition.to_excitatory
    assert changed.homeostasis.step_mv == 0.3
    assert changed.homeostasis.decay_ms == base.homeostasis.decay_ms
    assert changed.simulation.intensity.start == 2.0
    assert changed.simulation.timing.rest_ms == base.simulation.timing.rest_ms
    assert changed.passes == 3
    assert DynamicsSettings(base="paper-1").resolve().inhibition.reach == "all"


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: LayerSettings(features=0), "features"),
        (lambda: DynamicsSettings(passes=0), "passes"),
        (lambda: DynamicsSettings(normal_sum_per_input=-1.0), "normal_sum_per_input"),
        (lambda: DynamicsSettings(stimulus_ms=100.2), "multiple of dt_ms"),
        (lambda: OneLayerSettings(threads=0), "threads"),
        (lambda: TwoLayerSettings(link_gain=-0.1), "link_gain"),
        (lambda: TwoLayerSettings(link_gain=float("nan")), "link_gain"),
        (lambda: EarlyFusionSettings(lag_ms=float("nan")), "lag_ms"),
        (lambda: RecurrentSettings(link_gain=float("nan")), "link_gain"),
    ],
)
def test_settings_out_of_range(make, name) -> None:
    with pytest.raises(SettingsError, match=name):
        make()
