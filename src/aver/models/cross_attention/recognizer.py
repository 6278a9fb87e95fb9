"""`CrossAttention`: a recognizer in which each modality attends to the others."""

from __future__ import annotations

from aver.models.base.fusion_recognizer import FusionRecognizer
from aver.models.cross_attention.network import CrossAttentionNetwork
from aver.models.cross_attention.settings import CrossAttentionSettings


class CrossAttention(FusionRecognizer[CrossAttentionNetwork]):
    """Lets the frames of each modality attend to those of every other one.

    Parameters
    ----------
    settings : CrossAttentionSettings
    store : FeatureSource

    Notes
    -----
    Differs from the paper: see `CrossAttentionNetwork`. A clip that lacks a modality is predicted
    by the mean of the side scores of those it has.
    """

    name = "cross-attention"
    source = "After Tsai et al. 2019, section 3; Vaswani et al. 2017, section 3.2"
    settings_type = CrossAttentionSettings
    settings: CrossAttentionSettings

    def _build(self) -> CrossAttentionNetwork:
        return CrossAttentionNetwork(self.settings, self._shapes, self._outputs)
