"""The graph network against torch-geometric's own layers over explicit edges."""

from __future__ import annotations

from dataclasses import replace

import networkx
import numpy as np
import pytest
import torch
from torch_geometric.nn import GCNConv

from aver.models.synch_graph.graph import ClipSpikes, synchrony_graph
from aver.models.synch_graph.graph_batch import NodeEncoder, join_graphs
from aver.models.synch_graph.network import GraphConvolution, GraphNetwork
from aver.models.synch_graph.read_out import GraphTask
from aver.spiking import Spikes

LABELS = (0, 1, 0, 2, 1, 0)
MAPS, POSITIONS = 4, {"video": 3, "audio": 2}


def some_graphs(window_ms=20.0):
    rng = np.random.default_rng(0)
    graphs = []
    for _ in LABELS:
        trains = {
            name: Spikes(rng.uniform(0, 350, 15), rng.integers(0, places * MAPS, 15))
            for name, places in POSITIONS.items()
        }
        graphs.append(synchrony_graph(ClipSpikes.of(trains, MAPS), window_ms))
    return graphs


def some_batch(joined=None, edge_weight="one", encoding="one-hot", graphs=None):
    graphs = graphs or some_graphs()
    encoder = NodeEncoder.fit(encoding, POSITIONS, MAPS, graphs)
    inputs = [encoder.encode(graph) for graph in graphs]
    labels = LABELS[: len(graphs)]
    return join_graphs(graphs, inputs, labels, edge_weight=edge_weight, joined=joined)


def explicit_edges(graphs, joined, edge_weight):
    """Every edge, one by one, by NetworkX."""
    whole = networkx.disjoint_union_all([graph.to_networkx() for graph in graphs])
    for _, _, attributes in whole.edges(data=True):
        attributes["weight"] = 1 if edge_weight == "one" else attributes["coincidences"]
    clip = np.repeat(np.arange(len(graphs)), [graph.nodes for graph in graphs])
    if joined is not None:
        for a in range(len(clip)):
            for b in range(a):
                one, two = joined[clip[a]], joined[clip[b]]
                if clip[a] != clip[b] and one == two >= 0:
                    whole.add_edge(a, b, weight=1)
    directed = [(a, b, w) for a, b, w in whole.edges(data="weight")]
    directed += [(b, a, w) for a, b, w in directed]
    ends = torch.tensor([edge[:2] for edge in directed]).T
    return ends, torch.tensor([edge[2] for edge in directed]).float()


@pytest.mark.parametrize("edge_weight", ["one", "coincidences"])
@pytest.mark.parametrize("joined", [None, LABELS, (0, 1, 0, -1, 1, -1)])
def test_a_convolution_is_that_of_torch_geometric_over_explicit_edges(joined, edge_weight):
    graphs = some_graphs()
    batch = some_batch(joined, edge_weight, graphs=graphs)
    ours, theirs = GraphConvolution(batch.inputs.shape[1], 8), GCNConv(batch.inputs.shape[1], 8)
    theirs.load_state_dict(ours.state_dict())
    ends, weights = explicit_edges(graphs, joined, edge_weight)
    found, expected = ours(batch.inputs, batch), theirs(batch.inputs, ends, weights)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    found.tanh().sum().backward()
    expected.tanh().sum().backward()
    torch.testing.assert_close(ours.lin.weight.grad, theirs.lin.weight.grad, rtol=1e-4, atol=1e-5)


def test_three_convolutions_are_those_of_torch_geometric():
    graphs = some_graphs()
    batch = some_batch(LABELS, graphs=graphs)
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=16, pooling="sum").eval()
    ends, weights = explicit_edges(graphs, LABELS, "one")
    values = batch.inputs
    for number, convolution in enumerate(network.convolutions):
        layer = GCNConv(*convolution.lin.weight.T.shape)
        layer.load_state_dict(convolution.state_dict())
        values = layer(values, ends, weights)
        values = values.relu() if number < 2 else values
    sums = torch.stack([values[batch.clip == clip].sum(dim=0) for clip in range(len(LABELS))])
    torch.testing.assert_close(network(batch), sums, rtol=1e-4, atol=1e-5)


def test_a_complete_graph_averages_its_clip():
    """Every node of a complete graph of n nodes has degree n, loop and all: a plain mean."""
    graphs = some_graphs(window_ms=1000.0)
    assert all(graph.is_complete for graph in graphs)
    batch = some_batch(graphs=graphs)
    layer = GraphConvolution(batch.inputs.shape[1], 5)
    found = layer(batch.inputs, batch)
    for clip in range(batch.clips):
        nodes = batch.clip == clip
        mean = layer.lin(batch.inputs[nodes].mean(dim=0))
        torch.testing.assert_close(found[nodes], mean.expand_as(found[nodes]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "sum", "fingerprint"])
def test_without_label_edges_a_clip_is_predicted_as_if_it_were_alone(pooling):
    graphs = some_graphs()
    batch = some_batch(graphs=graphs)
    torch.manual_seed(0)
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=8, pooling=pooling).eval()
    encoder = NodeEncoder.fit("one-hot", POSITIONS, MAPS, graphs)
    for clip, graph in enumerate(graphs):
        alone = join_graphs([graph], [encoder.encode(graph)], [0])
        torch.testing.assert_close(network(alone)[0], network(batch)[clip], rtol=1e-4, atol=1e-5)


def test_a_fingerprint_adds_one_vote_of_each_node_in_each_layer():
    batch = some_batch()
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=8, pooling="fingerprint").eval()
    with torch.no_grad():
        network.read.weight.fill_(1.0)  # every place of the fingerprint counts one
        network.read.bias.zero_()
    votes = 3.0 * torch.bincount(batch.clip)
    torch.testing.assert_close(network(batch)[:, 0], votes)


def test_losses_of_clips_and_of_nodes():
    batch = some_batch()
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=8).eval()
    of_clips = GraphTask(network, batch, batch).loss(batch)
    of_nodes = GraphTask(network, batch, batch, "node").loss(batch)
    probabilities = torch.softmax(network(batch), dim=1)
    picked = probabilities[torch.arange(6), list(LABELS)]
    torch.testing.assert_close(of_clips.value, -picked.log().mean())
    of_node = torch.softmax(network.node_scores(batch), dim=1)
    picked = of_node[torch.arange(len(batch.clip)), torch.tensor(LABELS)[batch.clip]]
    torch.testing.assert_close(of_nodes.value, -picked.log().mean())
    assert (of_clips.clips, of_clips.correct) == (of_nodes.clips, of_nodes.correct)


def test_clips_without_a_label_do_not_count_in_the_loss():
    batch = some_batch(LABELS)
    hidden = batch.labels.clone()
    hidden[3:] = -1
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=8).eval()
    loss = GraphTask(network, batch, batch).loss(replace(batch, labels=hidden))
    expected = torch.nn.functional.cross_entropy(network(batch)[:3], batch.labels[:3])
    torch.testing.assert_close(loss.value, expected)
    assert loss.clips == 3


@pytest.mark.parametrize(("encoding", "inputs"), [("numbers", 5), ("one-hot", 13), ("neuron", 21)])
def test_encodings_distinguish_neurons(encoding, inputs):
    graphs = some_graphs()
    encoder = NodeEncoder.fit(encoding, POSITIONS, MAPS, graphs)
    rows = np.concatenate([encoder.encode(graph) for graph in graphs])
    assert rows.shape[1] == encoder.inputs == inputs
    keys = np.concatenate(
        [
            np.stack([g.modality, g.position, g.feature_map, g.spike_count, g.first_spike_ms])
            for g in graphs
        ],
        axis=1,
    )
    assert len(np.unique(rows, axis=0)) == len(np.unique(keys, axis=1).T)
    if encoding != "neuron":
        np.testing.assert_allclose(rows[:, -2:].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(rows[:, -2:].std(axis=0), 1, atol=1e-5)


def test_a_batch_may_contain_a_clip_without_neurons():
    empty = synchrony_graph(ClipSpikes.of({}, MAPS))
    batch = some_batch(LABELS[:2], graphs=[some_graphs()[0], empty])
    network = GraphNetwork(batch.inputs.shape[1], 3, hidden=8).eval()
    assert network(batch)[1].tolist() == [0, 0, 0]
