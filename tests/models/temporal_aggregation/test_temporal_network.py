"""The network of temporal aggregation: sums, weights, missing modalities, closed forms."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from drawn_segments import drawn_batch, network

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
def test_independent_networks_with_equal_weights_predict_as_the_shared_one(without_audio):
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
def test_relative_features_remove_what_is_constant_in_a_clip(weights):
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


def test_a_single_clip_does_not_change_running_statistics():
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


def test_modality_dropout_hides_one_modality_of_its_share_of_clips():
    net = network(modality_dropout=0.4).train()
    batch = drawn_batch(clips=2000)
    torch.manual_seed(0)
    kept = net._used(batch)
    assert bool((kept["video"] | kept["audio"]).all())
    for name in ("video", "audio"):
        assert 0.16 < float((~kept[name]).float().mean()) < 0.24
    assert all(rows.all() for rows in net.eval()._used(batch).values())
    lacking = replace(batch, present={**batch.present, "audio": ~batch.present["audio"]})
    assert bool(net.train()._used(lacking)["video"].all())  # never the only half there is
