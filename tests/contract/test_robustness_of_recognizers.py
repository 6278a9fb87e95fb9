"""`aver robustness` on a run of every registered recogniser, with real media: synthetic films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aver.cli.main import main
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.robustness import read_robustness
from aver.media.degradation import DEGRADATIONS
from aver.models.base.presets import load_preset, preset_names
from aver.models.base.recognizer import models
from aver.synthesis.corpus import synthesize
from aver.synthesis.settings import SynthesisSettings

LEVELS = {
    "white-noise": "0",
    "babble": "0",
    "blur": "2",
    "low-light": "2",
    "occlusion": "50",
    "dropped-frames": "50",
    "lost-modality": "audio,video",
    "offset": "0.2",
}
QUICK = {
    "mrpn": ["training.epochs=1"],
    "synch-graph": ["training.epochs=1"],
    "temporal-aggregation": ["training.epochs=1", "segments=2", "channels=[4,4,4,4,4]"],
}
AUDIO = {"white-noise", "babble"}
IMAGES = {"blur", "low-light", "occlusion", "dropped-frames"}
BOTH = {"lost-modality", "offset"}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, three emotions, two sentences; a second each."""
    settings = SynthesisSettings(
        speakers=3, emotions=("happy", "sad", "angry"), size_px=128, fps=12.0, duration_s=(1.0, 1.2)
    )
    folder = tmp_path_factory.mktemp("films")
    return synthesize(folder / "corpus", settings)


def preset_of(name: str) -> str:
    """The smallest preset of a recogniser."""
    named = [preset for preset in preset_names() if load_preset(preset)[0].name == name]
    return min(named, key=lambda preset: (not preset.endswith("compact"), len(preset)))


@pytest.mark.parametrize("name", models.names())
def test_every_recognizer_predicts_every_kind_of_degraded_media(
    films: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = films.parent / name
    shared = ["--cache", str(films.parent / "cache"), "--workers", "1"]
    changes = ["--set", *QUICK[name]] if name in QUICK else []
    words = ["train", "--corpus", str(films), "--preset", preset_of(name), *changes]
    assert main([*words, "--split", "speaker-kfold", "--split-settings", "folds=3",
                 "--out", str(run), *shared]) == 0  # fmt: skip
    levels = [f"{kind}={listed}" for kind, listed in LEVELS.items()]
    code = main(["robustness", str(run), "--corpus", str(films), "--levels", *levels, *shared])
    kind = models.get(name)
    modalities = {f.modality for f in kind(load_preset(preset_of(name))[1], None).features.values()}
    if not modalities:
        assert code == 2
        assert "reads no modality" in capsys.readouterr().err
        return
    assert code == 0
    expected = set()
    for damage, sense in ((AUDIO, "audio"), (IMAGES, "video")):
        expected |= damage if sense in modalities else set()
    expected |= BOTH if len(modalities) > 1 else set()
    measured = read_robustness(load_evaluation(run), run)
    assert [d.kind.name for d in measured] == [d.name for d in DEGRADATIONS if d.name in expected]
    for damaged in measured:
        for worse in damaged.runs.values():
            assert len(worse.clip_ids) == 6
            np.testing.assert_allclose(worse.probabilities.sum(axis=1), 1, rtol=1e-5)
        if damaged.kind.name == "lost-modality":
            for lost, worse in damaged.runs.items():
                assert all(any(flags) for flags in worse.flags), lost
