"""Checkpoints written by version 0.1 load, and predict what version 0.1 predicted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aver.compatibility import upgrade, upgrade_name
from aver.features.store import FeatureStore
from aver.models.base.predict_files import predict_files
from aver.models.base.recognizer import load_recognizer

ROOT = Path(__file__).parents[1] / "fixtures" / "version_0_1"
RUNS = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.rglob("expected.json"))
assert RUNS, f"There are no checkpoints of version 0.1 below {ROOT}."


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("run", RUNS)
def test_the_same_predictions(run: str, store: FeatureStore) -> None:
    expected = json.loads((ROOT / run / "expected.json").read_text())
    recognizer = load_recognizer(ROOT / run / expected["checkpoint"], store)
    units, others = expected["units"], expected["speaker_clips"]
    result = predict_files(
        recognizer,
        [ROOT / path for path in expected["files"]],
        store,
        action_units=ROOT / units if units else None,
        speaker_clips=[ROOT / others] if others else [],
    )
    found = result.prediction  # version 0.1 gave the clips in the order of their ids
    prediction = found.take(sorted(range(len(found)), key=found.clip_ids.__getitem__))
    assert list(prediction.clip_ids) == expected["clip_ids"]
    assert list(prediction.classes) == expected["classes"]
    assert_equal(prediction.probabilities, expected["probabilities"])
    for group in ("by_modality", "other_targets", "coverage"):
        arrays = getattr(prediction, group)
        assert set(arrays) == {upgrade_name(name) for name in expected[group]}
        for name, values in expected[group].items():
            assert_equal(arrays[upgrade_name(name)], values)
    assert upgrade(expected["other_outputs"]) == {
        name: list(outputs) for name, outputs in prediction.other_outputs.items()
    }


@pytest.mark.parametrize("run", RUNS)
def test_saved_again_in_the_current_format(run: str, store: FeatureStore, tmp_path: Path) -> None:
    recognizer = load_recognizer(ROOT / run, store)
    recognizer.save(tmp_path)
    again = load_recognizer(tmp_path, store)
    assert again.settings == recognizer.settings
    assert again.classes == recognizer.classes
    assert again.prior.tolist() == recognizer.prior.tolist()
    assert again.features == recognizer.features


def assert_equal(values: np.ndarray, expected: list) -> None:
    # Features extracted in one process and in several differ by 1e-7.
    np.testing.assert_allclose(values, np.array(expected, dtype=float), atol=1e-6)
