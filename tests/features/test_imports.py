"""What a process that extracts features imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from aver.synthesis import SynthesisSettings, synthesize

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
    crops = {"crops": FaceCrops(size_px=32, rate_hz=4.0)}
    feature = kind(**crops) if "crops" in kind.__dataclass_fields__ else kind()
    absent[name] = feature.extract(clip).missing
print(json.dumps([absent, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_extraction_of_every_feature_imports_no_training_stack(tmp_path: Path) -> None:
    settings = SynthesisSettings(
        speakers=1, emotions=("happy",), sentences=1, duration_s=(1.2, 1.2), fps=10, size_px=96
    )
    corpus = synthesize(tmp_path / "corpus", settings)
    (video,) = corpus.rglob("*.mp4")
    (units,) = (path for path in corpus.rglob("*.csv") if path.stem == video.stem)
    run = subprocess.run(
        [sys.executable, "-c", EXTRACT, video, units], check=True, capture_output=True, text=True
    )
    absent, imported = json.loads(run.stdout)
    assert len(absent) >= 11
    assert not any(absent.values()), absent
    assert not {"librosa", "numba", "lightning", "sklearn", "matplotlib"} & set(imported)


AUDIO_ONLY = """
import sys
from pathlib import Path
from aver.corpora.clip import Clip
from aver.features.feature import features

clip = Clip("clip", None, None, audio=Path(sys.argv[1]))
for name in features.names():
    if features.get(name).modality == "audio":
        assert not features.get(name)().extract(clip).missing
heavy = ("torch", "cv2", "librosa", "numba", "scipy.signal", "scipy.stats")
print([name for name in heavy if name in sys.modules])
"""


def test_audio_features_import_neither_torch_nor_scipy_signal(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, 20_000), 16000)
    run = subprocess.run(
        [sys.executable, "-c", AUDIO_ONLY, path], check=True, capture_output=True, text=True
    )
    assert run.stdout.strip() == "[]"
