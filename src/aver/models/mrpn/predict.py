"""`predict_clips`: answers of an `MRPNNetwork`, whatever modalities the clips have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.models.base.prediction import Prediction, mean_of_known
from aver.models.data.clip_sampler import ClipSampler
from aver.models.data.targets import Target, predictions
from aver.models.mrpn.network import MRPNNetwork, Scores


@torch.no_grad()
def predict_clips(
    network: MRPNNetwork,
    sampler: ClipSampler,
    targets: Sequence[Target],
    clips: Sequence[Clip],
) -> Prediction:
    """Answer for clips in order.

    A clip with every modality is predicted by the fused branch, one that lacks some by the mean of
    the side heads of those it has; one that has none gets rows of NaN.

    Parameters
    ----------
    network : MRPNNetwork
    sampler : ClipSampler
        Of the same clips.
    targets : sequence of Target
    clips : sequence of Clip
    """
    network.eval()
    columns = _Columns(network, targets, len(clips))
    start = 0
    for batch in sampler.evaluation():
        columns.take(start, network(batch.inputs), batch.inputs)
        start += batch.clips
    fused = {target.name: columns.combined(target.name) for target in targets}
    return Prediction(
        clip_ids=tuple(clip.clip_id for clip in clips),
        classes=next(target.outputs for target in targets if target.name == "emotion"),
        probabilities=fused["emotion"],
        by_modality={m: columns.side[m]["emotion"] for m in columns.side},
        coverage={m: found.coverage for m, found in sampler.frames.items()},
        flags=tuple(
            tuple(flag for frames in sampler.frames.values() for flag in frames.flags[place])
            for place in range(len(clips))
        ),
        other_targets={t.name: fused[t.name] for t in targets if t.name != "emotion"},
        other_outputs={t.name: t.outputs for t in targets if t.name != "emotion"},
        embeddings=columns.embeddings,
    )


class _Columns:
    """Answers by clip, NaN where there is none (yet)."""

    def __init__(self, network: MRPNNetwork, targets: Sequence[Target], clips: int) -> None:
        self._targets, self._clips = {target.name: target for target in targets}, clips
        self._fused = {t.name: self._nan(len(t.outputs)) for t in targets}
        self.side = {
            m: {t.name: self._nan(len(t.outputs)) for t in targets} for m in network.branches
        }
        self.embeddings: dict[str, np.ndarray] = {}

    def _nan(self, columns: int) -> np.ndarray:
        return np.full((self._clips, columns), np.nan)

    def take(self, start: int, scores: Scores, inputs: Mapping[str, object]) -> None:
        """Write the answers of one batch, whose first clip is number `start`."""
        complete = start + np.flatnonzero(scores.complete.numpy())
        for name, values in scores.fused.items():
            self._fused[name][complete] = predictions(self._targets[name], values).numpy()
        if len(complete):
            self._embed("fused", complete, scores.fused_feature)
        for modality, feature in scores.features.items():
            rows = start + np.flatnonzero(inputs[modality].present.numpy())  # type: ignore[attr-defined]
            self._embed(modality, rows, feature)
            # A single modality has no side head: what it says is the answer itself.
            by_target = scores.side.get(modality, scores.fused)
            for name, values in by_target.items():
                self.side[modality][name][rows] = predictions(self._targets[name], values).numpy()

    def _embed(self, name: str, rows: np.ndarray, values: torch.Tensor) -> None:
        if name not in self.embeddings:
            self.embeddings[name] = self._nan(values.shape[1])
        self.embeddings[name][rows] = values.float().numpy()

    def combined(self, target: str) -> np.ndarray:
        """Fused answers, and means over side heads where there are none."""
        fused = self._fused[target]
        side = mean_of_known([by_target[target] for by_target in self.side.values()])
        return np.where(np.isnan(fused).any(axis=1, keepdims=True), side, fused)
