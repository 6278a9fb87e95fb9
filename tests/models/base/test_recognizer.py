"""What importing and loading a recognizer costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
