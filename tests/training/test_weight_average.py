"""The running average of weights against the closed form."""

from __future__ import annotations

import pytest
import torch

from aver.training.optimization import WeightAverage


def test_the_average_is_the_weighted_sum_of_the_weights():
    network = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(1.0)
        average = WeightAverage(network, decay=0.9)
        expected = 1.0
        for step, value in enumerate([2.0, -1.0, 4.0, 0.5], start=1):
            network.weight.fill_(value)
            average.update(network)
            decay = min(0.9, (1 + step) / (10 + step))
            expected = decay * expected + (1 - decay) * value
    assert float(average.weights["weight"]) == pytest.approx(expected)
    average.swap(network)
    assert float(network.weight.detach()) == pytest.approx(expected)
    average.swap(network)
    assert float(network.weight.detach()) == pytest.approx(0.5)
