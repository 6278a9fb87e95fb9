"""`SynchGraphSettings`: everything that can be chosen about Synch-Graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from aver.errors import SettingsError
from aver.models.layers.rate_coding import InputSettings, RateCoding
from aver.models.layers.read_out import ReadOutSettings
from aver.models.layers.spiking_layer import DynamicsSettings
from aver.settings import Field, settings
from aver.spiking.parameters import NotNegative, Positive
from aver.training.settings import TrainingSettings

MODALITIES = ("video", "audio")
"""In the order in which neurons are numbered."""

WINDOW_MS = 150.0
"""Source: Mansouri-Benssassi & Ye 2020, Modelling Neural Synchrony in Graph Network."""

EdgeWeight = Literal["one", "coincidences"]
Encoding = Literal["modality", "numbers", "one-hot", "neuron"]
Pooling = Literal["mean", "sum", "fingerprint"]
GraphLoss = Literal["clip", "node"]
Count = Annotated[int, Field(ge=1)]


@settings
class RecurrentSettings:
    """Settings of the spiking network.

    Parameters
    ----------
    maps : int >= 1
        Neurons at each window position.
    dynamics : DynamicsSettings
        Of both modalities.
    lag_ms : float >= 0
        How much later than the video the audio sets in.
    link_gain : float >= 0
        Sum of the weights from the other modality onto a neuron, as a share of the sum of those
        from its input; 0 leaves the modalities unconnected.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Implementation and Network Configuration: 20 features,
    audio 5 ms late, recurrent connections at the excitatory layer.
    Differs from the paper: it does not print the strength of the recurrent connections; as between
    the networks of paper 1, they are all-to-all, plastic, start like those of the input and are
    normalized on their own.
    """

    maps: Count = 20
    dynamics: DynamicsSettings = field(default_factory=lambda: DynamicsSettings("paper-2"))
    lag_ms: NotNegative = 5.0
    link_gain: NotNegative = 0.5


@settings
class GraphSettings:
    """Settings of the graphs and of the graph network.

    Parameters
    ----------
    window_ms : float > 0
        Two neurons are joined if they spike within it.
    intra_clip_edges : {"synchrony", "all", "none", "shuffled"}
        Which nodes of a clip are joined. ``"shuffled"``: by the synchrony of the same spikes with
        permuted times; node features stay as they are.
    edge_weight : {"one", "coincidences"}
    label_edges : {"none", "train", "all"}
        Edges between all neurons of different clips of one class: none; between training clips,
        so that a new clip has none; or between all clips. The last needs the labels of the test
        clips: it LEAKS, `fit` refuses it, and only the paper protocol runs it.
    encoding : {"modality", "numbers", "one-hot", "neuron"}
        ``"modality"`` is the one feature of a node that the paper prints; the others are ours. See
        `aver.models.synch_graph.network.NodeEncoder`.
    hidden, layers : int >= 1
    dropout : float in [0, 1)
    pooling : {"mean", "sum", "fingerprint"}
        The paper names the pooling of Duvenaud et al. 2015, which adds up over the nodes.
    loss : {"clip", "node"}

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020: 150 ms, hidden layers of 64, three convolutions, dropout
    0.5; label edges between all clips.
    """

    window_ms: Positive = WINDOW_MS
    intra_clip_edges: Literal["synchrony", "all", "none", "shuffled"] = "synchrony"
    edge_weight: EdgeWeight = "one"
    label_edges: Literal["none", "train", "all"] = "none"
    encoding: Encoding = "one-hot"
    hidden: Count = 64
    layers: Count = 3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    pooling: Pooling = "mean"
    loss: GraphLoss = "clip"

    def __post_init__(self) -> None:
        if self.loss == "node" and self.pooling == "fingerprint":
            raise SettingsError(
                "With pooling=fingerprint nodes have no class scores, so that loss=node is "
                "impossible. Take pooling=mean or sum, or loss=clip."
            )


def _inputs() -> dict[str, InputSettings]:
    """160 neurons, as in the paper: 2 x 2 windows of the video, 4 of the audio."""
    return {
        "video": InputSettings(
            "laplacian-crops",
            coding=RateCoding(over="all", channels="on"),
            window=(40, 40),
            stride=(40, 40),
        ),
        "audio": InputSettings(
            "mfcc", coding=RateCoding(channels="on"), window=(40, 40), stride=(40, 116)
        ),
    }


@settings
class SynchGraphSettings:
    """Settings of `aver.models.synch_graph.recognizer.SynchGraph`.

    Parameters
    ----------
    modalities : tuple of {"video", "audio"}
        With a single one there are no recurrent connections.
    inputs : mapping of str to InputSettings
        Feature, coding and windows of each modality.
    spiking : RecurrentSettings
    read_out : {"graph", "counts"}
        Predict from the synchrony graph, or from the spike counts of the same neurons.
    graph : GraphSettings
    counts : ReadOutSettings
        Of the read-out of spike counts.
    training : TrainingSettings
        Of the graph network; all clips are one batch.
    """

    modalities: tuple[str, ...] = MODALITIES
    inputs: Mapping[str, InputSettings] = field(default_factory=_inputs)
    spiking: RecurrentSettings = field(default_factory=RecurrentSettings)
    read_out: Literal["graph", "counts"] = "graph"
    graph: GraphSettings = field(default_factory=GraphSettings)
    counts: ReadOutSettings = field(default_factory=ReadOutSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        if not self.modalities or len(set(self.modalities)) < len(self.modalities):
            raise SettingsError(
                f"modalities must name at least one modality, each once, not {self.modalities}."
            )
        for modality in self.modalities:
            if modality not in MODALITIES or modality not in self.inputs:
                raise SettingsError(
                    f"There are no inputs for the modality {modality!r}. "
                    f"Use: {', '.join(name for name in MODALITIES if name in self.inputs)}."
                )


def refuse_leaking_edges(graph: GraphSettings) -> None:
    """Refuse label edges between test clips, which only the paper protocol may use.

    Raises
    ------
    SettingsError
    """
    if graph.label_edges == "all":
        raise SettingsError(
            "label_edges=all joins test clips by their labels, which LEAKS. Take none or train, or "
            "run the paper protocol: aver reproduce synch-graph --protocols paper."
        )
