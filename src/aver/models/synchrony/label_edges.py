"""`LabelEdges`: edges between all neurons of different clips of one class, never built."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aver.errors import LabelError


@dataclass(frozen=True, eq=False)
class LabelEdges:
    """The adjacency of nodes that share their clip's class but not their clip.

    With one-hot rows K (nodes, classes) and C (nodes, clips) of the joined nodes, the matrix is
    ``K K' - C C'``: every class a block of ones, less the blocks of its own clips. Its product
    with features is therefore the sum over the class minus the sum over the clip: exact, and
    linear in nodes in time and memory, where the edges themselves grow with their square
    (3e9 at 130,000 nodes).

    Parameters
    ----------
    clip : Tensor [shape=(nodes,), dtype=int64]
        The clip of each node, counted from 0.
    label : Tensor [shape=(clips,), dtype=int64]
        The class of each clip; -1 for a clip that gets no such edges.

    Raises
    ------
    LabelError
        If a node belongs to no clip.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2020, Multisensory Interaction Learning Workflow: "neurons
    between subgraphs are connected if they share the same class label". Where the labels of test
    clips are among them, the graph gives the answers away.

    Examples
    --------
    >>> edges = LabelEdges(clip=torch.tensor([0, 0, 1, 2]), label=torch.tensor([5, 5, 3]))
    >>> edges.product(torch.eye(4)).int().tolist()
    [[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    """

    clip: Tensor
    label: Tensor

    def __post_init__(self) -> None:
        if len(self.clip) and not 0 <= int(self.clip.min()) <= int(self.clip.max()) < len(
            self.label
        ):
            raise LabelError(
                f"Nodes belong to clips {int(self.clip.min())} to {int(self.clip.max())}, but "
                f"there are labels for {len(self.label)} clips. Give every clip a label, or -1."
            )

    @property
    def degrees(self) -> Tensor:
        """Number of such edges at each node, `[shape=(nodes,), dtype=float64]`."""
        return self.product(torch.ones(len(self.clip), 1, dtype=torch.float64))[:, 0]

    def product(self, values: Tensor) -> Tensor:
        """Sum over the neighbours of each node.

        Parameters
        ----------
        values : Tensor [shape=(nodes, columns)]

        Returns
        -------
        Tensor [shape=(nodes, columns)]
        """
        of_clip = values.new_zeros(len(self.label), values.shape[1])
        of_clip = of_clip.index_add(0, self.clip, values)  # (clips, columns)
        joined = self.label >= 0
        classes = 1 + max(0, int(self.label.max()))
        of_class = values.new_zeros(classes, values.shape[1])
        of_class = of_class.index_add(0, self.label[joined], of_clip[joined])
        of_others = of_class[self.label.clamp_min(0)] - of_clip
        return (of_others * joined[:, None].to(values.dtype))[self.clip]
