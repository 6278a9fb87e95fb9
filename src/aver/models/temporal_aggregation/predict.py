"""`predict_segments`: answers of a `TemporalNetwork`, whatever modalities the clips have."""

from __future__ import annotations

import numpy as np
import torch

from aver.models.base.prediction import Prediction
from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.sampler import SegmentSampler


@torch.no_grad()
def predict_segments(
    network: TemporalNetwork,
    sampler: SegmentSampler,
    classes: tuple[str, ...],
    tta: int,
) -> Prediction:
    """Answer for clips in order.

    Parameters
    ----------
    network : TemporalNetwork
    sampler : SegmentSampler
    classes : tuple of str
    tta : int >= 0
        Random draws to average over; 0 looks at the middle of every segment.
    """
    network.eval()
    modalities = sampler.modalities
    alone = modalities if len(modalities) > 1 else ()
    rounds = [
        _one_draw(network, sampler, len(classes), alone, draw)
        for draw in (range(tta) if tta else (None,))
    ]
    predictions = {name: np.mean([found[name] for found in rounds], axis=0) for name in rounds[0]}
    clips = sampler.clips
    has = {name: clips.has(name) for name in modalities}
    by_modality = {}
    for name in modalities:
        said = predictions[name if alone else ""].copy()
        said[~has[name]] = np.nan
        by_modality[name] = said
    fused = predictions[""]
    fused[~np.any(list(has.values()), axis=0)] = np.nan
    return Prediction(
        clip_ids=clips.clip_ids,
        classes=classes,
        probabilities=fused,
        by_modality=by_modality,
        coverage=clips.coverage,
        flags=clips.flags,
    )


def _one_draw(
    network: TemporalNetwork,
    sampler: SegmentSampler,
    classes: int,
    alone: tuple[str, ...],
    draw: int | None,
) -> dict[str, np.ndarray]:
    """Probabilities ``(clips, classes)``, fused under ``""`` and by modality."""
    parts = {name: [np.empty((0, classes))] for name in ("", *alone)}
    for batch in sampler.evaluation(draw):
        for name, logs in network.predictions(batch, alone).items():
            parts[name].append(logs.double().exp().numpy())
    return {name: np.concatenate(rows) for name, rows in parts.items()}
