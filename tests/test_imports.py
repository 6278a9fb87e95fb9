"""What a process that extracts features or predicts imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aver.synthesis import SynthesisSettings, synthesize

TRAINING_STACK = {"librosa", "numba", "lightning", "lightning_fabric", "sklearn", "matplotlib"}


def run(program: str, *arguments: Path) -> str:
    """What a program prints in a process of its own."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip of 1.2 s with a face, a voice and action units."""
    settings = SynthesisSettings(
        speakers=1, emotions=("happy",), sentences=1, duration_s=(1.2, 1.2), fps=10, size_px=96
    )
    return synthesize(tmp_path_factory.mktemp("imports") / "corpus", settings)


EXTRACT = """
import json, sys
from pathlib import Path
from aver.corpora.clip import Clip
from aver.features.face_crops import FaceCrops
from aver.features.feature import features

video, units = map(Path, sys.argv[1:])
clip = Clip("clip", None, None, video=video, audio=video, action_units=units)
absent = {}
for name in features.names():
    kind = features.get(name)
    if name in ("transformers-audio", "transformers-video", "onnx-faces"):
        continue  # they need an encoder
    crops = {"crops": FaceCrops(size_px=32, rate_hz=4.0)}
    feature = kind(**crops) if "crops" in kind.__dataclass_fields__ else kind()
    absent[name] = feature.extract(clip).missing
print(json.dumps([absent, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_extraction_of_every_feature_imports_no_training_stack(corpus: Path) -> None:
    (video,) = corpus.rglob("*.mp4")
    (units,) = (path for path in corpus.rglob("*.csv") if path.stem == video.stem)
    absent, imported = json.loads(run(EXTRACT, video, units))
    assert len(absent) >= 11
    assert not any(absent.values()), absent
    assert not TRAINING_STACK & set(imported)


PREDICT = """
import json, sys
from pathlib import Path
from aver.api import predict
from aver.features.store import FeatureStore

result = predict([Path(sys.argv[1])], store=FeatureStore(Path(sys.argv[2])))
imported = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps([result.prediction.flags, imported]))
"""


def test_prediction_imports_no_training_stack(corpus: Path, tmp_path: Path) -> None:
    (video,) = corpus.rglob("*.mp4")
    flags, imported = json.loads(run(PREDICT, video, tmp_path))
    assert set(flags[0]) <= {"audio unlike the training data"}  # face and voice were both used
    assert "torch" in imported
    assert not TRAINING_STACK & set(imported)


AUDIO_ONLY = """
import sys
from pathlib import Path
from aver.corpora.clip import Clip
from aver.features.feature import features

clip = Clip("clip", None, None, audio=Path(sys.argv[1]))
for name in features.names():
    if features.get(name).modality == "audio" and name != "transformers-audio":
        assert not features.get(name)().extract(clip).missing
heavy = ("torch", "cv2", "librosa", "numba", "scipy.signal", "scipy.stats")
print([name for name in heavy if name in sys.modules])
"""


def test_audio_features_import_neither_torch_nor_scipy_signal(corpus: Path) -> None:
    (video,) = corpus.rglob("*.mp4")
    assert run(AUDIO_ONLY, video).strip() == "[]"
