"""`AudioVisualNetwork`: what answers for one segment, from a picture and a window of sound."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from aver.models.parts.feature_mean import FeatureMean
from aver.models.parts.segment_extractor import SegmentExtractor


class AudioVisualNetwork(nn.Module):
    """An extractor per modality, joined, then one dense layer.

    Parameters
    ----------
    extractors : mapping of str to SegmentExtractor
        By modality.
    classes : int >= 2
    dropout : float in [0, 1)
        On the joined features.

    Notes
    -----
    Source: Birhala et al. 2020, section II, Figure 2.
    Differs from the paper: features of a modality that a clip lacks are replaced by their training
    mean.
    """

    def __init__(
        self, extractors: Mapping[str, SegmentExtractor], classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.extractors = nn.ModuleDict(extractors)
        self.means = nn.ModuleDict({name: FeatureMean(e.size) for name, e in extractors.items()})
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(sum(e.size for e in extractors.values()), classes)

    def extractor(self, modality: str) -> SegmentExtractor:
        """What reads a modality."""
        found = self.extractors[modality]
        assert isinstance(found, SegmentExtractor)
        return found

    def log_probabilities(
        self,
        features: Mapping[str, Tensor],
        has: Mapping[str, Tensor],
        kept: Mapping[str, Tensor],
        only: Collection[str] | None = None,
    ) -> Tensor:
        """Logarithms of class probabilities.

        Parameters
        ----------
        features : mapping of str to Tensor [shape=(rows that have it, n)]
        has, kept : mapping of str to Tensor of bool [shape=(rows,)]
            Rows that have the modality; rows that shall show it.
        only : collection of str, optional
            Modalities to listen to; the others show their mean.

        Returns
        -------
        Tensor [shape=(rows, classes)]
        """
        joined = [
            mean(
                features.get(name) if only is None or name in only else None, has[name], kept[name]
            )
            for name, mean in self.means.items()
        ]
        scores = self.dense(self.dropout(torch.cat(joined, dim=1)))
        return torch.log_softmax(scores.float(), dim=1)
