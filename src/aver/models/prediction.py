"""`Prediction`: what a recogniser answers for a list of clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Prediction:
    """Answers for clips, in the order asked.

    Parameters
    ----------
    clip_ids : tuple of str
    classes : tuple of str
        Emotions, in canonical order.
    probabilities : np.ndarray [shape=(clips, classes)]
        Fused over the modalities present.
    by_modality : mapping of str to np.ndarray [shape=(clips, classes)]
        What each modality alone says; rows of NaN where a clip lacks it.
    coverage : mapping of str to np.ndarray [shape=(clips,)]
        Share of each clip, in [0, 1], that had a face, sound, action units.
    flags : tuple of tuple of str
        Per clip, what a reader should know ("no face", "no sound", "shorter than one segment").
    other_targets : mapping of str to np.ndarray [shape=(clips, outputs)]
        Answers for targets besides emotion: class probabilities or regression values.
    other_outputs : mapping of str to tuple of str
        Names of the columns of `other_targets`.
    embeddings : mapping of str to np.ndarray [shape=(clips, n)]
        Deep features by modality, and ``"fused"``; for t-SNE. May be empty.
    """

    clip_ids: tuple[str, ...]
    classes: tuple[str, ...]
    probabilities: np.ndarray
    by_modality: Mapping[str, np.ndarray] = field(default_factory=dict)
    coverage: Mapping[str, np.ndarray] = field(default_factory=dict)
    flags: tuple[tuple[str, ...], ...] = ()
    other_targets: Mapping[str, np.ndarray] = field(default_factory=dict)
    other_outputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    embeddings: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each clip."""
        return tuple(self.classes[index] for index in self.probabilities.argmax(axis=1))
