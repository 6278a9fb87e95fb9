"""The equations of MRPN, compared with NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from aver.models.data.batches import ClipSequences
from aver.models.mrpn.network import MRPNNetwork, ResidualPerceptron
from aver.models.mrpn.settings import BranchSettings, MRPNSettings

TRACK = BranchSettings(feature="action-units", extractor="identity", aggregator="statistics")


def network(kind, side_scoring="dense", names=("video", "audio")):
    torch.manual_seed(3)
    settings = MRPNSettings(
        network=kind,
        modalities=names,
        branches=dict.fromkeys(names, TRACK),
        hidden=7,
        side_scoring=side_scoring,
    )
    built = MRPNNetwork(settings, dict.fromkeys(names, (5,)), {"emotion": 4})
    for part in built.modules():  # as after some training
        if isinstance(part, nn.BatchNorm1d):
            nn.init.normal_(part.weight, 1, 0.1)
            nn.init.normal_(part.bias, 0, 0.1)
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return built.eval()


def inputs(names=("video", "audio"), lacking=()):
    torch.manual_seed(1)
    clips = {name: [torch.randn(4, 5) for _ in range(6)] for name in names}
    for name, place in lacking:
        clips[name][place] = None
    return {name: ClipSequences.of(found) for name, found in clips.items()}


def array(tensor):
    return tensor.detach().numpy()


def norm(part, x):
    scale = array(part.weight) / np.sqrt(array(part.running_var) + part.eps)
    return (x - array(part.running_mean)) * scale + array(part.bias)


def dense(part, x):
    return x @ array(part.weight).T + array(part.bias)


@pytest.mark.parametrize("kind", ["N0", "N1", "N2"])
def test_scores_follow_equations_7_to_9(kind):
    built = network(kind)
    scores = built(inputs())
    after = []
    for name in ("video", "audio"):
        frames = array(inputs()[name].frames).reshape(6, 4, 5)
        f = np.concatenate([frames.mean(1), np.sqrt(frames.var(1) + 1e-6) - 1e-3], axis=1)
        f_hat = norm(built.branches[name].norm, f)
        np.testing.assert_allclose(array(scores.features[name]), f_hat, atol=1e-5)
        # eqs. 8, 9: the side score is one dense unit on f^, before the residual perceptron
        side = dense(built.side[name].dense["emotion"], f_hat)
        np.testing.assert_allclose(array(scores.side[name]["emotion"]), side, atol=1e-5)
        if kind == "N2":  # eq. 6
            part = built.residual[name]
            f_hat = f_hat + norm(part.norm, 1 / (1 + np.exp(-dense(part.dense, f_hat))))
        after.append(f_hat)
    # eqs. 2 to 4: concatenate, norm, dense, ReLU, norm, dense
    joined = norm(built.fusion.norm, np.concatenate(after, axis=1))
    hidden = norm(
        built.fusion.scoring.hidden[3], np.maximum(0, dense(built.fusion.scoring.hidden[1], joined))
    )
    np.testing.assert_allclose(array(scores.fused_feature), hidden, atol=1e-5)
    expected = dense(built.fusion.scoring.scores.dense["emotion"], hidden)
    np.testing.assert_allclose(array(scores.fused["emotion"]), expected, atol=1e-5)


def test_n0_and_n1_are_one_architecture_and_n2_adds_residual_perceptrons():
    names = {kind: set(network(kind).state_dict()) for kind in ("N0", "N1", "N2")}
    assert names["N0"] == names["N1"]
    added = {name.split(".")[0] for name in names["N2"] - names["N1"]}
    assert added == {"residual"}


def test_the_longer_side_scoring_of_equation_3():
    built = network("N1", side_scoring="long")
    scores = built(inputs())
    f_hat = array(scores.features["video"])
    part = built.side["video"]
    hidden = norm(part.hidden[3], np.maximum(0, dense(part.hidden[1], f_hat)))
    np.testing.assert_allclose(
        array(scores.side["video"]["emotion"]),
        dense(part.scores.dense["emotion"], hidden),
        atol=1e-5,
    )


def test_one_modality_is_scored_by_equation_3():
    built = network("N2", names=("audio",))
    scores = built(inputs(("audio",)))
    f_hat = array(scores.features["audio"])
    hidden = norm(built.scoring.hidden[3], np.maximum(0, dense(built.scoring.hidden[1], f_hat)))
    np.testing.assert_allclose(
        array(scores.fused["emotion"]), dense(built.scoring.scores.dense["emotion"], hidden),
        atol=1e-5,
    )  # fmt: skip
    assert not scores.side


def test_clips_that_lack_a_modality_do_not_change_the_others():
    built = network("N2")
    whole = built(inputs())
    partial = built(inputs(lacking=[("video", 2), ("audio", 4)]))
    assert partial.complete.tolist() == [True, True, False, True, False, True]
    kept = [0, 1, 3, 5]
    torch.testing.assert_close(partial.fused["emotion"], whole.fused["emotion"][kept])
    torch.testing.assert_close(
        partial.side["audio"]["emotion"], whole.side["audio"]["emotion"][[0, 1, 2, 3, 5]]
    )
    nothing = built(inputs(lacking=[("video", place) for place in range(6)]))
    assert not nothing.fused
    assert set(nothing.side) == {"audio"}


def test_a_residual_perceptron_starts_from_its_input():
    part = ResidualPerceptron(4)
    nn.init.zeros_(part.norm.weight)
    nn.init.zeros_(part.norm.bias)
    x = torch.randn(5, 4)
    torch.testing.assert_close(part(x), x)
