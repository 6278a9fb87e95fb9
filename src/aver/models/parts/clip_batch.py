"""`ClipBatch`: the inputs and labels of one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from aver.models.parts.clip_sequences import ClipSequences


@dataclass(frozen=True)
class ClipBatch:
    """Several clips, by modality, with labels by target.

    Parameters
    ----------
    inputs : mapping of str to ClipSequences
    labels : mapping of str to Tensor
        As `aver.models.parts.targets.Target.labels` gives them; empty in prediction.
    clips : int
    """

    inputs: Mapping[str, ClipSequences]
    labels: Mapping[str, Tensor]
    clips: int

    def to(self, device: torch.device | str) -> ClipBatch:
        """The same on a device."""
        return ClipBatch(
            {name: sequences.to(device) for name, sequences in self.inputs.items()},
            {name: labels.to(device) for name, labels in self.labels.items()},
            self.clips,
        )
