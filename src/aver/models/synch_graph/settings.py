"""`SynchGraphSettings`: everything that can be chosen about Synch-Graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aver.errors import SettingsError
from aver.models.layers.rate_coding import InputSettings, RateCoding
from aver.models.snn_cross_modal.read_out import ReadOutSettings
from aver.models.synch_graph.spiking_network import MODALITIES, RecurrentSettings
from aver.training.settings import TrainingSettings


@dataclass(frozen=True)
class GraphSettings:
    """The graphs, and the network that reads them.

    Parameters
    ----------
    window_ms : float > 0
        Neurons that spike within it are joined.
    intra_clip_edges : {"synchrony", "all", "none", "shuffled"}
        Who is joined within a clip. ``"shuffled"``: as synchrony of the same spikes, their times
        dealt out anew among them; node features stay as they are.
    edge_weight : {"one", "coincidences"}
    label_edges : {"none", "train", "all"}
        Edges between all neurons of different clips of one class: none; between training clips,
        so that a new clip has none; or between all clips. The last needs the labels of the test
        clips: it LEAKS, `fit` refuses it, and only the paper protocol runs it.
    encoding : {"numbers", "one-hot", "neuron"}
        See `aver.models.synch_graph.network.NodeEncoder`.
    hidden, layers : int >= 1
    dropout : float in [0, 1)
    pooling : {"mean", "sum", "fingerprint"}
    loss : {"clip", "node"}

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020: 150 ms, hidden layers of 64, three convolutions, dropout
    0.5; label edges between all clips.
    """

    window_ms: float = 150.0
    intra_clip_edges: Literal["synchrony", "all", "none", "shuffled"] = "synchrony"
    edge_weight: Literal["one", "coincidences"] = "one"
    label_edges: Literal["none", "train", "all"] = "none"
    encoding: Literal["numbers", "one-hot", "neuron"] = "one-hot"
    hidden: int = 64
    layers: int = 3
    dropout: float = 0.5
    pooling: Literal["mean", "sum", "fingerprint"] = "mean"
    loss: Literal["clip", "node"] = "clip"

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.layers < 1:
            raise SettingsError(
                f"hidden and layers must be at least 1; they are {self.hidden} and {self.layers}."
            )
        if not 0 <= self.dropout < 1:
            raise SettingsError(f"dropout must lie in [0, 1); it is {self.dropout}.")
        if not self.window_ms > 0:
            raise SettingsError(f"window_ms must be positive; it is {self.window_ms}.")
        if self.loss == "node" and self.pooling == "fingerprint":
            raise SettingsError(
                "A fingerprint belongs to a clip, so that its nodes have no scores of their own. "
                "With loss=node take pooling=mean or sum."
            )


def _inputs() -> dict[str, InputSettings]:
    """As paper 2 counts 160 nodes a clip: 2 x 2 windows of the face, 4 of the sound."""
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


@dataclass(frozen=True)
class SynchGraphSettings:
    """Settings of `aver.models.synch_graph.recognizer.SynchGraph`.

    Parameters
    ----------
    modalities : tuple of {"video", "audio"}
        A single one makes a network without recurrent connections.
    inputs : mapping of str to InputSettings
        What each modality shows the network.
    spiking : RecurrentSettings
    readout : {"graph", "counts"}
        The graph network; or, of the same spikes, how often each neuron fired.
    graph : GraphSettings
    counts : ReadOutSettings
        How counts are read: by logistic regression, or a vote of the neurons.
    training : TrainingSettings
        Of the graph network; all clips make one batch.
    """

    modalities: tuple[str, ...] = MODALITIES
    inputs: Mapping[str, InputSettings] = field(default_factory=_inputs)
    spiking: RecurrentSettings = field(default_factory=RecurrentSettings)
    readout: Literal["graph", "counts"] = "graph"
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
                    f"Known are: {', '.join(name for name in MODALITIES if name in self.inputs)}."
                )


def refuse_leaking_edges(graph: GraphSettings) -> None:
    """Refuse label edges that reach test clips, which only the paper protocol may see.

    Raises
    ------
    SettingsError
    """
    if graph.label_edges == "all":
        raise SettingsError(
            "label_edges=all joins test clips by their labels, which LEAKS. Take none or train, or "
            "run the paper protocol: aver reproduce synch-graph --protocols paper."
        )
