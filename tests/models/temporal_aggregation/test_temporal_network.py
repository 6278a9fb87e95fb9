"""The network of temporal aggregation: sums, weights, missing halves, closed forms of parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_segments import drawn_batch, network

from aver.errors import SettingsError
from aver.models.base.presets import load_preset
from aver.models.layers.extractors import BandFunctionals, ConvBlocks
from aver.models.layers.normalization import FeatureMean
from aver.models.temporal_aggregation.settings import SegmentBranchSettings


@pytest.mark.parametrize(("video", "audio"), [("conv-blocks",) * 2, ("hog", "band-functionals")])
def test_the_prediction_is_the_sum_of_the_segments_probabilities(video, audio):
    branches = {
        "video": SegmentBranchSettings(extractor=video),
        "audio": SegmentBranchSettings(extractor=audio, rows=4),
    }
    net, batch = network(branches=branches).eval(), drawn_batch()
    for part in net.networks:  # so that it matters whose norm a segment gets
        for branch in part.branches.values():
            for name, value in branch.norm.named_buffers():
                if name == "running_mean":
                    value.normal_()
    with torch.no_grad():
        found = net(batch).exp()
        images = {name: net._prepared(name, batch) for name in batch.inputs}
        by_hand = torch.zeros(5, 4)
        for place, part in enumerate(net.networks):
            features = [part.branches[name](images[name][place]) for name in ("video", "audio")]
            by_hand += torch.softmax(part.dense(torch.cat(features, dim=1)), dim=1)
    torch.testing.assert_close(found, by_hand / 2)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(5))


@pytest.mark.parametrize("without_audio", [(), (1, 4), (0, 1, 2, 3, 4)])
def test_independent_networks_with_equal_weights_prediction_as_the_shared_one(without_audio):
    shared, own = network(weights="shared"), network(weights="independent")
    shared.networks[0].means["audio"].mean.normal_()
    for part in own.networks:
        part.load_state_dict(shared.networks[0].state_dict())
    batch = drawn_batch()
    has = torch.tensor([clip not in without_audio for clip in range(5)])
    inputs = {**batch.inputs, "audio": batch.inputs["audio"][has]}
    if not has.any():
        del inputs["audio"]
    batch = replace(batch, inputs=inputs, present={**batch.present, "audio": has})
    with torch.no_grad():
        torch.testing.assert_close(own.eval()(batch), shared.eval()(batch))


@pytest.mark.parametrize("weights", ["independent", "shared"])
def test_relative_features_forget_what_all_segments_of_a_clip_have_in_common(weights):
    branches = {"audio": SegmentBranchSettings(extractor="band-functionals", relative=True)}
    changes = {"weights": weights, "branches": branches, "modalities": ("audio",)}
    net, batch = network(**changes).eval(), drawn_batch()
    for part in net.networks:
        part.branches["audio"].norm = torch.nn.Identity()
    louder = batch.inputs["audio"].float() + torch.randn(5, 1, 1, 8, 1)  # per clip and band
    plain = replace(batch, inputs={"audio": batch.inputs["audio"].float()})
    with torch.no_grad():
        predictions = [net(b) for b in (plain, replace(batch, inputs={"audio": louder}))]
        torch.testing.assert_close(*predictions, rtol=1e-4, atol=1e-4)
        single = network(**changes, segments=1).eval()
        one = {"audio": plain.inputs["audio"][:, :1]}, {"audio": louder[:, :1]}
        predictions = [single(replace(batch, inputs=inputs)) for inputs in one]
    assert not torch.allclose(*predictions)


def test_a_segment_is_predicted_by_its_own_network_only():
    net, batch = network(modality_dropout=0.0).eval(), drawn_batch()
    inputs = {name: values.float().requires_grad_() for name, values in batch.inputs.items()}
    with torch.no_grad():
        net.networks[0].dense.weight.zero_()
    net(replace(batch, inputs=inputs))[:, 0].sum().backward()
    by_segment = inputs["audio"].grad.abs().sum(dim=(0, 2, 3, 4))  # (segments,)
    assert by_segment[0] == 0
    assert by_segment[1] > 0


def test_one_clip_alone_leaves_the_running_statistics_as_they_are():
    kinds = {
        "video": SegmentBranchSettings(
            extractor="resnet18", width=4, blocks=1, stem="7x7"
        ),  # ends in a single pixel
        "audio": SegmentBranchSettings(extractor="conv-blocks"),
    }
    net, batch = network(branches=kinds).train(), drawn_batch(clips=1)
    before = {name: value.clone() for name, value in net.state_dict().items() if "running" in name}
    assert len(before) > 4
    net(batch).sum().backward()
    for name, value in before.items():
        assert torch.equal(net.state_dict()[name], value), name
    assert all(branch.extractor.training for branch in net.networks[0].branches.values())
    net(drawn_batch(clips=2))
    assert not any(torch.equal(net.state_dict()[name], value) for name, value in before.items())


def test_independent_networks_cost_no_more_arithmetic_than_the_shared_one():
    from torch.utils.flop_counter import FlopCounterMode

    counts = {}
    for weights in ("independent", "shared"):
        with FlopCounterMode(display=False) as counter:
            network(weights=weights).train()(drawn_batch()).sum().backward()
        counts[weights] = counter.get_total_flops()
    assert counts["independent"] == counts["shared"]


def test_statistics_of_bands_are_those_of_numpy():
    windows = torch.randn(5, 1, 6, 40)
    values = windows.numpy()[:, 0]
    both = values.mean(axis=2), values.std(axis=2)
    for rows in (6, 9):  # never more than there are bands
        found = BandFunctionals((1, 6, 40), rows)(windows).numpy()
        np.testing.assert_allclose(found, np.concatenate(both, axis=1), rtol=1e-4, atol=1e-5)
    found = BandFunctionals((1, 6, 40), 2)(windows).numpy()
    expected = np.concatenate([part.reshape(5, 2, 3).mean(axis=2) for part in both], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_conv_blocks_are_the_papers_five_and_say_when_images_are_too_small():
    _, settings = load_preset("temporal-aggregation-paper")
    blocks = ConvBlocks((3, 224, 224), settings.channels)
    kinds = [type(layer).__name__ for layer in blocks.layers]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"] * 5
    assert blocks.size == 256 * 7 * 7
    assert ConvBlocks((1, 192, 120), settings.channels).size == 256 * 6 * 3
    with pytest.raises(SettingsError, match="16 x 40 are too small for 5 blocks"):
        ConvBlocks((1, 16, 40), settings.channels)


def test_the_running_mean_is_that_of_the_features_seen():
    mean = FeatureMean(3).train()
    everyone = torch.ones(4, dtype=torch.bool)
    torch.manual_seed(0)
    for _ in range(300):
        mean(torch.randn(4, 3) + torch.tensor([1.0, -2.0, 5.0]), everyone, everyone)
    torch.testing.assert_close(mean.mean, torch.tensor([1.0, -2.0, 5.0]), atol=0.5, rtol=0)
    mean.eval()
    has, kept = torch.tensor([True, False, True]), torch.tensor([True, True, False])
    rows = mean(torch.tensor([[1.0, 1, 1], [2, 2, 2]]), has, kept)
    torch.testing.assert_close(rows, torch.stack([torch.ones(3), mean.mean, mean.mean]))


def test_modality_dropout_hides_one_half_of_so_many_clips():
    net = network(modality_dropout=0.4).train()
    batch = drawn_batch(clips=2000)
    torch.manual_seed(0)
    kept = net._shown(batch)
    assert bool((kept["video"] | kept["audio"]).all())
    for name in ("video", "audio"):
        assert 0.16 < float((~kept[name]).float().mean()) < 0.24
    assert all(rows.all() for rows in net.eval()._shown(batch).values())
    lacking = replace(batch, present={**batch.present, "audio": ~batch.present["audio"]})
    assert bool(net.train()._shown(lacking)["video"].all())  # never the only half there is
