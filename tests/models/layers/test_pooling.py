"""Aggregators: padding and other clips of a batch do not change a clip's vector."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from aver.errors import SettingsError
from aver.models.data.batches import ClipSequences
from aver.models.layers.pooling import AGGREGATORS, make_aggregator, sine_positions


def sequences(lengths):
    return ClipSequences.of([torch.randn(n, 6) for n in lengths])


@pytest.mark.parametrize("kind", AGGREGATORS)
def test_a_clip_gives_the_same_vector_alone_and_beside_longer_ones(kind):
    torch.manual_seed(0)
    aggregator = make_aggregator(kind, 6, 8, dropout=0.1).eval()
    batch = sequences([3, 9, 1, 5])
    together = aggregator(batch.frames, batch)
    parts = batch.frames.split([3, 9, 1, 5])
    for row, part in zip(together, parts, strict=True):
        alone = aggregator(part, ClipSequences.of([part]))
        torch.testing.assert_close(row, alone[0], atol=1e-6, rtol=1e-5)
    assert aggregator.size == together.shape[1]


@pytest.mark.parametrize("kind", AGGREGATORS)
def test_gradients_do_not_pass_between_clips(kind):
    torch.manual_seed(0)
    aggregator = make_aggregator(kind, 6, 8, dropout=0.0).eval()
    batch = sequences([3, 5])
    batch.frames.requires_grad_()
    prediction = aggregator(batch.frames, batch)[0]
    (prediction * torch.randn(len(prediction))).sum().backward()
    assert bool(batch.frames.grad[:3].abs().sum(dim=1).gt(0).all())
    assert not bool(batch.frames.grad[3:].any())


ORDERED = {"lstm": True, "bilstm": True, "transformer": True, "statistics": False}


@pytest.mark.parametrize(("kind", "ordered"), ORDERED.items())
def test_only_ordered_aggregators_depend_on_the_order(kind, ordered):
    torch.manual_seed(0)
    aggregator = make_aggregator(kind, 6, 8, dropout=0.0).eval()
    batch = sequences([6])
    backwards = ClipSequences.of([batch.frames.flip(0)])
    same = torch.allclose(
        aggregator(batch.frames, batch), aggregator(backwards.frames, backwards), atol=1e-6
    )
    assert same != ordered


def test_lstm_follows_its_equations():
    """One step by hand: gates in the order input, forget, cell, output."""
    torch.manual_seed(0)
    aggregator = make_aggregator("lstm", 3, 2, dropout=0.0)
    x = torch.randn(1, 3)
    w = aggregator.lstm.weight_ih_l0.detach().numpy() @ x[0].numpy()
    gates = w + (aggregator.lstm.bias_ih_l0 + aggregator.lstm.bias_hh_l0).detach().numpy()
    i, _, g, o = np.split(gates, 4)
    expected = 1 / (1 + np.exp(-o)) * np.tanh(1 / (1 + np.exp(-i)) * np.tanh(g))
    found = aggregator(x, ClipSequences.of([x]))[0].detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_statistics_are_mean_and_std():
    frames = torch.randn(50, 4)
    found = make_aggregator("statistics", 4, 0, 0.0)(frames, ClipSequences.of([frames]))[0].numpy()
    np.testing.assert_allclose(found[:4], frames.numpy().mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(found[4:], frames.numpy().std(axis=0), atol=2e-3)
    single = make_aggregator("statistics", 4, 0, 0.0)(frames[:1], ClipSequences.of([frames[:1]]))
    np.testing.assert_allclose(single[0, 4:], 0.0, atol=1e-6)


def test_positions_follow_vaswani():
    found = sine_positions(5, 6, torch.device("cpu"))
    for place in range(5):
        for pair in range(3):
            angle = place / 10_000 ** (2 * pair / 6)
            assert float(found[place, 2 * pair]) == pytest.approx(np.sin(angle), abs=1e-6)
            assert float(found[place, 2 * pair + 1]) == pytest.approx(np.cos(angle), abs=1e-6)


@pytest.mark.parametrize(("kind", "size"), [("gru", 8), ("bilstm", 7), ("transformer", 6)])
def test_invalid_aggregators_are_refused(kind, size):
    with pytest.raises(SettingsError, match=str(size) if kind != "gru" else "Known are"):
        make_aggregator(kind, 6, size, 0.0)
