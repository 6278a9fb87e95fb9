"""Losses of targets against scikit-learn and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from aver.corpora.clip import Clip
from aver.models.data.targets import Target, TargetLoss


def test_class_weights_are_those_of_scikit_learn():
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    loss = TargetLoss(Target("emotion", ("happy", "sad", "angry")), labels, True, 0.0)
    weights = compute_class_weight("balanced", classes=np.arange(3), y=labels.numpy())
    scores = torch.randn(10, 3)
    p = torch.softmax(scores, dim=1).numpy()[np.arange(10), labels]
    expected = np.mean(weights[labels] * -np.log(p))
    assert float(loss(scores, labels, training=True)) == pytest.approx(expected, rel=1e-5)


def test_unknown_labels_are_ignored():
    labels = torch.tensor([0, 1, 1, 0])
    loss = TargetLoss(Target("intensity", ("normal", "strong")), labels, False, 0.0)
    scores = torch.randn(4, 2)
    some = loss(scores, torch.tensor([0, -1, 1, -1]), True)
    torch.testing.assert_close(some, loss(scores[[0, 2]], torch.tensor([0, 1]), True))
    assert float(loss(scores, torch.full((4,), -1), True)) == 0.0


def test_a_regression_that_predicts_the_mean_has_loss_one():
    target = Target("votes-both", ("happy", "sad"))
    clips = [Clip(str(k), "s", "sad", votes={"both": {"happy": s, "sad": 1 - s}})
             for k, s in enumerate([0.1, 0.4, 0.7, 0.6])]  # fmt: skip
    labels = target.labels([*clips, Clip("none", "s", "sad")])
    assert bool(labels[-1].isnan().all())
    loss = TargetLoss(target, labels, True, 0.0)
    mean = labels[:4].mean(dim=0)
    scores = torch.logit(mean).expand(5, 2)
    assert float(loss(scores, labels, True)) == pytest.approx(1.0, rel=1e-5)
