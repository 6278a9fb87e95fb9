"""Recognizers on the Hugging Face Hub, by local folders and the local cache; no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from planted_source import PlantedSource, planted_clips

from aver.errors import CheckpointError, SettingsError
from aver.models.base.recognizer import Recognizer, load_recognizer
from aver.models.baselines.functionals import StatisticsLogistic, StatisticsSettings

huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs aver[hub]")
pytestmark = pytest.mark.extras

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def source() -> PlantedSource:
    return PlantedSource()


@pytest.fixture
def trained(source: PlantedSource) -> StatisticsLogistic:
    settings = StatisticsSettings(modalities=("audio",), Cs=(0.1,))
    recognizer = StatisticsLogistic(settings, source)
    clips = planted_clips(speakers=4, takes=2)
    recognizer.fit(clips[:16], clips[16:])
    expected = {
        "statement": "As evaluated.",
        "system": "statistics-logistic",
        "protocol": "clean: drawn",
        "speakers": 4,
        "metrics": {"accuracy": {"value": 0.71, "low": 0.6, "high": 0.8}},
    }
    facts = {"corpus": "ravdess", "license": "CC BY-NC-SA 4.0", "expected": expected}
    recognizer._card = {**recognizer.card, **facts}
    return recognizer


def test_a_saved_recognizer_predicts_the_same(
    trained: Recognizer, source: PlantedSource, tmp_path: Path
) -> None:
    trained.save_pretrained(tmp_path / "given away")
    clips = [clip.without_labels() for clip in planted_clips(speakers=2, takes=1)]
    found = Recognizer.from_pretrained(tmp_path / "given away", source)
    assert isinstance(found, StatisticsLogistic)
    np.testing.assert_array_equal(found.predict_proba(clips), trained.predict_proba(clips))


def test_the_hub_reads_license_and_figures_of_the_readme(
    trained: Recognizer, tmp_path: Path
) -> None:
    """As huggingface_hub itself parses it."""
    trained.save_pretrained(tmp_path)
    card = huggingface_hub.ModelCard.load(tmp_path / "README.md")
    assert card.data.license == "cc-by-nc-sa-4.0"
    assert card.data.library_name == "aver"
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("accuracy", 0.71)
    assert (result.dataset_type, result.task_type) == ("ravdess", "audio-classification")
    assert "As evaluated." in card.text


def test_a_name_on_the_hub_is_found_in_the_local_cache(
    trained: Recognizer,
    source: PlantedSource,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path / "models--ann--voices"
    trained.save_pretrained(place / "snapshots" / COMMIT)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(COMMIT)
    options = {"cache_dir": tmp_path, "local_files_only": True}
    found = Recognizer.from_pretrained("ann/voices", source, **options)
    assert found.classes == trained.classes
    with pytest.raises(CheckpointError, match="ann/faces cannot be loaded: it is not on this mach"):
        Recognizer.from_pretrained("ann/faces", source, **options)
    (place / "snapshots" / COMMIT / "recognizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"is no recognizer of aver: it has no recognizer.js"):
        Recognizer.from_pretrained("hf://ann/voices", source, **options)


@pytest.mark.parametrize("name", ["hf://ann/voices", "hf:/ann/voices@v1"])
def test_without_network_there_is_one_clear_line(name: str, tmp_path: Path) -> None:
    last = offline(f"import aver; aver.load({name!r})", tmp_path)
    assert last.startswith("aver.errors.CheckpointError: ann/voices cannot be loaded: ")
    assert "hf download ann/voices" in last


def test_without_network_nothing_is_uploaded(tmp_path: Path) -> None:
    code = "from aver.models.base.hub import push_to_hub; push_to_hub(object(), 'ann/voices')"
    last = offline(code, tmp_path)
    assert last.startswith("aver.errors.CheckpointError: ann/voices cannot be uploaded")


def offline(code: str, home: Path) -> str:
    """Last line of errors of a process of its own: huggingface_hub reads the switch on import."""
    variables = {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True
    )
    return done.stderr.strip().splitlines()[-1]


def test_names_and_untrained_recognizers_are_refused(source: PlantedSource, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no possible name on the Hugging Face Hub"):
        load_recognizer("hf://a/b/c", source)
    untrained = StatisticsLogistic(StatisticsSettings(), source)
    with pytest.raises(SettingsError, match="has not been trained"):
        untrained.save_pretrained(tmp_path)
    assert not (tmp_path / "recognizer.json").exists()
