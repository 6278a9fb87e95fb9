"""What all recognizers inherit: loading, errors, cost of imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.features.store import FeatureStore
from aver.models.baselines.majority import Majority, MajoritySettings

RUN = Path(__file__).parents[2] / "fixtures" / "version_0_1" / "train" / "statistics-logistic"


def test_a_model_of_functionals_loads_without_torch_spiking_and_evaluation(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from aver.features.store import FeatureStore
from aver.models.base.recognizer import load_recognizer

recognizer = load_recognizer(sys.argv[1], FeatureStore(Path(sys.argv[2])))
assert recognizer.classes
heavy = {"torch", "numba", "pandas", "sklearn", "lightning", "librosa"}
others = {"aver.training", "aver.spiking", "aver.evaluation"}
print(sorted((heavy | others) & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, str(RUN), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("lost", ["settings", "classes", "prior"])
def test_a_checkpoint_without_a_fact_is_refused(tmp_path: Path, lost: str) -> None:
    train = [Clip("a", "s1", "happy"), Clip("b", "s1", "sad")]
    Majority(MajoritySettings(), FeatureStore(tmp_path / "cache")).fit(train, []).save(tmp_path)
    path = tmp_path / "recognizer.json"
    content = json.loads(path.read_text())
    del content["facts"][lost]
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=f"lacks {lost}"):
        Majority.load(tmp_path, FeatureStore(tmp_path / "cache"))


def test_an_untrained_recognizer_neither_predicts_nor_is_saved(tmp_path: Path) -> None:
    recognizer = Majority(MajoritySettings(), FeatureStore(tmp_path))
    with pytest.raises(SettingsError, match="not been trained"):
        recognizer.predict([Clip("a", None, None)])
    with pytest.raises(SettingsError, match="not been trained"):
        recognizer.save(tmp_path)
