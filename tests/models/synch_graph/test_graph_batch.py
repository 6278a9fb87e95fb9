"""Label edges against the explicit matrix and against closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aver.errors import LabelError
from aver.models.synch_graph.graph import ClipSpikes, synchrony_graph
from aver.models.synch_graph.graph_batch import LabelEdges, NodeEncoder
from aver.spiking import Spikes


def explicit(edges: LabelEdges) -> torch.Tensor:
    """The matrix of the paper, pair by pair."""
    nodes = len(edges.clip)
    matrix = torch.zeros(nodes, nodes, dtype=torch.float64)
    for a in range(nodes):
        for b in range(nodes):
            one, two = int(edges.clip[a]), int(edges.clip[b])
            same_class = int(edges.label[one]) == int(edges.label[two]) >= 0
            matrix[a, b] = float(one != two and same_class)
    return matrix


@st.composite
def some_edges(draw):
    label = draw(st.lists(st.integers(-1, 3), min_size=1, max_size=6))
    clip = draw(st.lists(st.integers(0, len(label) - 1), max_size=25))
    return LabelEdges(torch.tensor(clip, dtype=torch.int64), torch.tensor(label))


@given(some_edges(), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_product_is_that_of_the_explicit_matrix(edges, columns):
    generator = torch.Generator().manual_seed(len(edges.clip))
    values = torch.randn(len(edges.clip), columns, generator=generator, dtype=torch.float64)
    matrix = explicit(edges)
    torch.testing.assert_close(edges.product(values), matrix @ values, rtol=0, atol=1e-12)
    torch.testing.assert_close(edges.degrees, matrix.sum(dim=1), rtol=0, atol=0)


def test_gradients_are_those_of_the_explicit_matrix():
    edges = LabelEdges(torch.tensor([0, 0, 1, 2, 2, 3]), torch.tensor([1, 1, 0, -1]))
    start = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights = torch.arange(18, dtype=torch.float64).reshape(6, 3)
    found = []
    for product in (edges.product, lambda values: explicit(edges) @ values):
        values = start.clone().requires_grad_()
        (product(values).tanh() * weights).sum().backward()
        found.append(values.grad)
    torch.testing.assert_close(found[0], found[1])


def test_equal_clips_of_one_class_have_a_closed_form():
    clips, nodes = 7, 5  # each node sees all nodes of the other six clips
    edges = LabelEdges(torch.arange(clips).repeat_interleave(nodes), torch.zeros(clips).long())
    assert edges.degrees.tolist() == [(clips - 1) * nodes] * (clips * nodes)
    ones = torch.ones(clips * nodes, 1, dtype=torch.float64)
    assert edges.product(edges.product(ones)).tolist() == [[900.0]] * 35


def test_unlabeled_clips_have_no_label_edges():
    edges = LabelEdges(torch.tensor([0, 1, 2]), torch.tensor([-1, -1, 2]))
    assert not edges.product(torch.ones(3, 2)).any()


def test_a_node_without_a_clip_is_an_error():
    with pytest.raises(LabelError, match="labels for 2 clips"):
        LabelEdges(torch.tensor([0, 2]), torch.tensor([0, 0]))


def test_the_printed_node_feature_is_the_modality_alone():
    spikes = {"video": Spikes([1.0, 9.0], [3, 25]), "audio": Spikes([5.0], [7])}
    graph = synchrony_graph(ClipSpikes.of(spikes, maps=20))
    encoder = NodeEncoder.fit("modality", {"video": 4, "audio": 4}, 20, [graph])
    assert encoder.inputs == 2
    assert encoder.encode(graph).tolist() == [[1, 0], [1, 0], [0, 1]]


def test_a_hundred_thousand_nodes_take_no_more_memory_than_their_features():
    nodes = 100_000  # the edges alone would be 1.7e9 here
    edges = LabelEdges(torch.arange(nodes) // 100, torch.arange(nodes // 100) % 6)
    found = edges.product(torch.ones(nodes, 4))
    same = (edges.label == edges.label[0]).sum() * 100
    assert found[0, 0] == same - 100
