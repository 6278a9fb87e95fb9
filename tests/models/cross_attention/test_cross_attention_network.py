"""Laws of cross-attention, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from planted_source import PlantedSource, planted_clips
from tiny import TINY
from torch import nn

from aver.errors import SettingsError
from aver.models.cross_attention.network import CrossAttentionLayer, CrossAttentionNetwork
from aver.models.cross_attention.recognizer import CrossAttention
from aver.models.cross_attention.settings import CrossAttentionSettings
from aver.models.data.batches import ClipSequences
from aver.models.layers.frame_encoder import FrameEncoderSettings

TRACK = FrameEncoderSettings(feature="action-units", extractor="identity")


def network(names=("video", "audio"), **changes):
    torch.manual_seed(3)
    settings = CrossAttentionSettings(
        modalities=names, branches=dict.fromkeys(names, TRACK), size=8, heads=2, hidden=7, **changes
    )
    built = CrossAttentionNetwork(settings, dict.fromkeys(names, (5,)), {"emotion": 4})
    for module in built.modules():  # as after some training
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return built.eval()


def clips(count=6, frames=4):
    torch.manual_seed(count)
    return [torch.randn(frames + number, 5) for number in range(count)]


def batch(**by_modality):
    return {name: ClipSequences.of(found) for name, found in by_modality.items()}


def array(tensor):
    return tensor.detach().numpy()


def dense(layer, x):
    return x @ array(layer.weight).T + array(layer.bias)


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


def feed_forward(layer, z):
    return z + dense(layer.feed_forward[3], np.maximum(0, dense(layer.feed_forward[0], z)))


def test_attention_to_one_frame_adds_its_projected_value():
    torch.manual_seed(0)
    layer = CrossAttentionLayer(8, 2, 0.0).eval()
    target, source = torch.randn(3, 5, 8), torch.randn(3, 1, 8)
    found = array(layer(target, source, torch.ones(3, 1, dtype=torch.bool)))
    attention = layer.attention
    value = layer_norm(array(source)) @ array(attention.in_proj_weight)[16:].T
    value = dense(attention.out_proj, value + array(attention.in_proj_bias)[16:])
    expected = feed_forward(layer, layer_norm(layer_norm(array(target)) + value))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_attention_follows_the_formula():
    torch.manual_seed(0)
    layer = CrossAttentionLayer(6, 1, 0.0).eval()
    target, source = torch.randn(1, 3, 6), torch.randn(1, 4, 6)
    found = array(layer(target, source, torch.ones(1, 4, dtype=torch.bool)))[0]
    attention = layer.attention
    weights, bias = array(attention.in_proj_weight), array(attention.in_proj_bias)
    query, keys = layer_norm(array(target)[0]), layer_norm(array(source)[0])
    q, k, v = (
        x @ weights[6 * row : 6 * row + 6].T + bias[6 * row : 6 * row + 6]
        for row, x in enumerate((query, keys, keys))
    )
    shares = np.exp(q @ k.T / np.sqrt(6))
    attended = dense(attention.out_proj, shares / shares.sum(axis=1, keepdims=True) @ v)
    expected = feed_forward(layer, layer_norm(query + attended))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_frames_after_the_end_of_the_source_are_ignored():
    torch.manual_seed(0)
    layer = CrossAttentionLayer(8, 2, 0.0).eval()
    target, source = torch.randn(2, 5, 8), torch.randn(2, 4, 8)
    valid = torch.tensor([[True] * 4, [True, True, False, False]])
    found = layer(target, source, valid)
    short = layer(target[1:], source[1:, :2], valid[1:, :2])
    torch.testing.assert_close(found[1:], short)


def shuffled(of):
    return [clip[torch.randperm(len(clip))] for clip in of]


def test_without_positions_the_order_of_frames_changes_nothing():
    video, audio = clips(), clips(frames=2)
    built = network(positions=False)
    expected = built(batch(video=video, audio=audio)).fused["emotion"]
    found = built(batch(video=video, audio=shuffled(audio))).fused["emotion"]
    torch.testing.assert_close(found, expected)


def test_with_positions_the_order_of_frames_matters():
    video, audio = clips(), clips(frames=2)
    built = network(positions=True)
    expected = built(batch(video=video, audio=audio)).fused["emotion"]
    found = built(batch(video=video, audio=shuffled(audio))).fused["emotion"]
    assert (found - expected).abs().max() > 1e-3


@pytest.mark.parametrize("names", [("video", "audio"), ("video", "audio", "action_units")])
def test_a_clip_is_scored_alike_alone_and_in_a_batch(names):
    inputs = {name: clips(frames=3 + row) for row, name in enumerate(names)}
    built = network(names, layers=2)
    together = built(batch(**inputs))
    alone = built(batch(**{name: found[2:3] for name, found in inputs.items()}))
    torch.testing.assert_close(alone.fused["emotion"], together.fused["emotion"][2:3])


def test_a_clip_without_audio_does_not_change_the_others_and_has_its_side_scores():
    video, audio = clips(), clips(frames=2)
    built = network()
    whole = built(batch(video=video, audio=audio))
    found = built(batch(video=video, audio=[None, *audio[1:]]))
    assert found.complete.tolist() == [False] + [True] * 5
    torch.testing.assert_close(found.fused["emotion"], whole.fused["emotion"][1:])
    torch.testing.assert_close(found.side["video"]["emotion"], whole.side["video"]["emotion"])
    x = np.stack([dense(built.branches["video"].project[1], array(c)).mean(axis=0) for c in video])
    norm = built.norms["video"]
    x = (x - array(norm.running_mean)) / np.sqrt(array(norm.running_var) + norm.eps)
    x = network(positions=False).side["video"].dense["emotion"](torch.tensor(x)).detach()
    unordered = network(positions=False)(batch(video=video, audio=[None] * 6))
    torch.testing.assert_close(unordered.side["video"]["emotion"], x, atol=1e-4, rtol=1e-4)


def test_a_missing_modality_is_predicted_by_the_head_of_the_other():
    planted = planted_clips(speakers=3, takes=2)
    tiny = TINY["cross-attention"]
    tiny = replace(tiny, training=replace(tiny.training, epochs=1))
    trained = CrossAttention(tiny, PlantedSource()).fit(planted[:16], planted[16:], seed=0)
    trained = trained.with_features_from(PlantedSource(without="audio"))
    prediction = trained.predict([clip.without_labels() for clip in planted])
    np.testing.assert_array_equal(prediction.probabilities, prediction.by_modality["video"])


def test_a_single_modality_has_only_its_own_scores():
    built = network(("audio",))
    scores = built(batch(audio=[None, *clips(3)]))
    assert scores.fused["emotion"].shape == (3, 4)
    assert scores.side == {}
    assert built(batch(audio=[None])).fused == {}


@pytest.mark.parametrize("changes", [{"size": 6, "heads": 4}, {"size": 7, "heads": 7}])
def test_sizes_that_the_heads_or_positions_do_not_allow_are_refused(changes):
    with pytest.raises(SettingsError, match="must be a multiple of the heads"):
        CrossAttentionSettings(**changes)
