"""`answer_views`: one prediction from what every view of the clips says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aver.corpora.clip import Clip
from aver.models.prediction import Prediction
from aver.models.spiking_parts.clip_rates import BOTH, View
from aver.models.spiking_parts.layer_inputs import LayerClips
from aver.models.spiking_parts.read_out import ReadOut


def answer_views(
    clips: Sequence[Clip],
    loaded: Mapping[str, LayerClips],
    views: Mapping[str, View],
    read_outs: Mapping[str, ReadOut],
    classes: tuple[str, ...],
    prior: np.ndarray,
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
    prior : np.ndarray [shape=(classes,)]
        The answer for clips that no view knows anything of.
    """
    answers = {name: np.full((len(clips), len(classes)), np.nan) for name in views}
    for name, view in views.items():
        if name in read_outs and len(view.rows):
            answers[name][view.rows] = read_outs[name].probabilities(view.counts)
    fused = np.full((len(clips), len(classes)), np.nan)
    for name in (BOTH, *loaded):
        if name in answers:
            fused = np.where(np.isnan(fused), answers[name], fused)
    empty = np.isnan(fused).any(axis=1)
    fused[empty] = prior
    flags = []
    for place, nothing in enumerate(empty):
        said = dict.fromkeys(flag for one in loaded.values() for flag in one.flags[place])
        flags.append((*said, "no usable modality") if nothing else tuple(said))
    return Prediction(
        clip_ids=tuple(clip.clip_id for clip in clips),
        classes=classes,
        probabilities=fused,
        by_modality={name: answers[name] for name in loaded},
        coverage={name: one.coverage for name, one in loaded.items()},
        flags=tuple(flags),
    )
