"""`predict_views`: one prediction from what every view of the clips says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aver.corpora.clip import Clip
from aver.models.base.prediction import Prediction
from aver.models.layers.rate_coding import LayerClips
from aver.models.snn_cross_modal.network import BOTH, View
from aver.models.snn_cross_modal.read_out import ReadOut


def predict_views(
    clips: Sequence[Clip],
    loaded: Mapping[str, LayerClips],
    views: Mapping[str, View],
    read_outs: Mapping[str, ReadOut],
    classes: tuple[str, ...],
) -> Prediction:
    """Answer clips from all modalities together, else from the one that they have.

    Parameters
    ----------
    clips : sequence of Clip
    loaded : mapping of str to LayerClips
        By modality, what there was to look at.
    views : mapping of str to View
        By modality, and `BOTH`.
    read_outs : mapping of str to ReadOut
        By view; a view without one says nothing.
    classes : tuple of str
    """
    predictions = {name: np.full((len(clips), len(classes)), np.nan) for name in views}
    for name, view in views.items():
        if name in read_outs and len(view.rows):
            predictions[name][view.rows] = read_outs[name].probabilities(view.counts)
    fused = np.full((len(clips), len(classes)), np.nan)
    for name in (BOTH, *loaded):
        if name in predictions:
            fused = np.where(np.isnan(fused), predictions[name], fused)
    return Prediction(
        clip_ids=tuple(clip.clip_id for clip in clips),
        classes=classes,
        probabilities=fused,
        by_modality={name: predictions[name] for name in loaded},
        coverage={name: one.coverage for name, one in loaded.items()},
        flags=tuple(
            tuple(flag for one in loaded.values() for flag in one.flags[place])
            for place in range(len(clips))
        ),
    )
