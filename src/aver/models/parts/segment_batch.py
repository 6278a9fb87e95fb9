"""`SegmentBatch`: pictures and windows of sound of several clips, segment by segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class SegmentBatch:
    """What one step looks at.

    Parameters
    ----------
    inputs : mapping of {"video", "sound"} to Tensor
        Clips that have the modality, one after the other: pictures uint8 ``(clips, segments,
        channels, height, width)`` or embeddings float16 ``(clips, segments, features)``, windows
        float16 ``(clips, segments, 1, bands, columns)``.
    blank : Tensor of bool [shape=(clips with pictures, segments)]
        Segments without a face; their pictures are to be replaced.
    present : mapping of str to Tensor of bool [shape=(clips,)]
        Which clips have the modality.
    labels : Tensor of int64 [shape=(clips,)]
        -1 for unknown.
    """

    inputs: Mapping[str, Tensor]
    blank: Tensor
    present: Mapping[str, Tensor]
    labels: Tensor

    @property
    def clips(self) -> int:
        """Clips in the batch."""
        return len(self.labels)

    @property
    def usable(self) -> Tensor:
        """Which clips have any modality, as bool ``(clips,)``."""
        return torch.stack(list(self.present.values())).any(dim=0)

    def to(self, device: torch.device | str) -> SegmentBatch:
        """The same on a device."""
        return SegmentBatch(
            {name: values.to(device) for name, values in self.inputs.items()},
            self.blank.to(device),
            {name: values.to(device) for name, values in self.present.items()},
            self.labels.to(device),
        )
