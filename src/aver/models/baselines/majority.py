"""`Majority`: predicts the class shares of the training clips, the floor of every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer


@dataclass(frozen=True)
class MajoritySettings:
    """There is nothing to set."""


class Majority(Recognizer):
    """Predicts for every clip how frequent each class is in training.

    Parameters
    ----------
    settings : MajoritySettings
    store : FeatureSource
        Not used.
    """

    name = "majority"
    source = "The most frequent class of the training clips"
    settings_type = MajoritySettings

    @property
    def features(self) -> Mapping[str, Feature]:
        """None."""
        return {}

    def _fit(
        self,
        train: Sequence[Clip],
        validation: Sequence[Clip],
        *,
        seed: int,
        run_folder: Path | None,
    ) -> dict[str, Any]:
        return {"fitted_on": {}, "labels_used": {"class shares": ["train"]}}

    def _predict(self, clips: Sequence[Clip]) -> Prediction:
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=np.tile(self.prior, (len(clips), 1)),
        )
