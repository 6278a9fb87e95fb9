"""The majority baseline: the class shares of the training clips for every clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError
from aver.features.store import FeatureStore
from aver.models.baselines.majority import Majority, MajoritySettings

TRAIN = [Clip(str(i), "a", emotion) for i, emotion in enumerate(["sad", "happy", "sad", "sad"])]


@pytest.fixture
def trained(tmp_path: Path) -> Majority:
    return Majority(MajoritySettings(), FeatureStore(tmp_path)).fit(TRAIN, [])


def test_predicts_the_class_shares_of_training(trained: Majority) -> None:
    prediction = trained.predict([Clip("x", None, None), Clip("y", None, None)])
    assert prediction.classes == ("happy", "sad")
    assert prediction.probabilities.tolist() == [[0.25, 0.75]] * 2
    assert prediction.labels == ("sad", "sad")
    assert trained.features == {}


def test_saved_and_loaded_predictions_are_equal(trained: Majority, tmp_path: Path) -> None:
    trained.save(tmp_path / "run")
    again = Majority.load(tmp_path / "run", trained.store)
    assert np.array_equal(again.predict_proba(TRAIN), trained.predict_proba(TRAIN))
    assert again.card == trained.card
    assert again.card["speakers"] == {"train": ["a"], "validation": []}
    with pytest.raises(CheckpointError):
        Majority.load(tmp_path, trained.store)


def test_invalid_labels_are_refused(tmp_path: Path) -> None:
    recognizer = Majority(MajoritySettings(), FeatureStore(tmp_path))
    with pytest.raises(LabelError, match="at least two"):
        recognizer.fit(TRAIN[:1], [])
    with pytest.raises(LabelError, match="has no emotion"):
        recognizer.fit([*TRAIN, Clip("x", "a", None)], [])
