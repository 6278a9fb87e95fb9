"""`FeatureNorm`: batch norm over clips that survives a batch of one."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FeatureNorm(nn.BatchNorm1d):
    """Batch normalisation of feature vectors.

    A batch in which a single clip has the modality carries no variance; it is normalised with the
    running statistics, which then stay as they are.

    Source: Chang & Skarbek 2021, section 3.1, item 3 and observation 1.
    """

    def forward(self, input: Tensor) -> Tensor:
        """``(clips, n)`` to ``(clips, n)``."""
        if self.training and len(input) == 1:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(input)
