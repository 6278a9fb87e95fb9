"""The table of names: classes in it, registered ones, and names of version 0.1."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.cli.main import main
from aver.corpora import corpora, open_corpus
from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.evaluation.baselines import run_baselines
from aver.evaluation.experiment import Experiment, run_experiment
from aver.features.feature import Feature, FeatureRecord, features
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import models
from aver.registry import Registry
from aver.splits import make_split, split_rules


def test_a_registered_class_is_found_even_under_a_name_of_version_0_1() -> None:
    registry: Registry = Registry("thing", {"mfcc": "collections:Counter"}, "aver.nothing")
    assert registry.get("cepstra") is registry.get("mfcc")  # renamed since version 0.1

    @registry.register("coordinates")
    class Own:
        pass

    assert registry.get("coordinates") is Own
    assert registry.names() == ("coordinates", "mfcc")
    with pytest.raises(SettingsError, match=r"no thing named 'other'. Known are: coordinates, mf"):
        registry.get("other")
    with pytest.raises(SettingsError, match="both named 'mfcc'"):
        registry.register("mfcc")(Own)


def install(folder: Path, package: str, code: str, entry_points: str) -> None:
    """What an installer leaves of a package with one module, as the packaging standard says."""
    (folder / f"{package}.py").write_text(code)
    about = folder / f"{package.replace('_', '-')}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entry_points)


CODE = '''
import numpy as np

from aver.features.feature import Feature, FeatureRecord
from aver.models.baselines.functionals import StatisticsSvm
from aver.settings import settings


@settings
class NameLength(Feature):
    """Length of the file name: a feature of a modality of its own."""

    name = "name-length"
    modality = "names"
    source = "This test"

    def paths(self, clip):
        return (clip.audio,)

    def extract(self, clip):
        return FeatureRecord({"length": np.array([len(clip.audio.name)], np.float32)})


class OwnSvm(StatisticsSvm):
    """A machine of another package."""

    name = "own-svm"
    source = "This test"
'''


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    install(
        tmp_path,
        "own_package",
        CODE,
        "[aver.features]\nname-length = own_package:NameLength\n"
        "[aver.models]\nown-svm = own_package:OwnSvm\n",
    )
    install(
        tmp_path,
        "broken_package",
        "import a_module_that_nobody_has\n",
        "[aver.corpora]\nbroken = broken_package:Reader\n[aver.splits]\ncut = json:loads\n",
    )
    for registry in (corpora, split_rules, features, models):
        monkeypatch.setattr(registry, "_others", None)
        monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    return tmp_path


@pytest.mark.usefixtures("packages")
def test_other_packages_add_features_and_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert models.package("own-svm") == "own_package"
    assert models.package("mrpn") == ""
    kind, settings = load_preset("own-svm", {"feature": "name-length"})
    assert kind.name == "own-svm"
    assert settings.modalities == ("names",)
    clips = [
        Clip(f"{speaker}{number}", speaker, emotion, audio=Path("x" * length))
        for number, (emotion, length) in enumerate((("happy", 4), ("sad", 9)) * 3)
        for speaker in "abc"
    ]
    recognizer = kind(settings, Direct()).fit(clips[:12], clips[12:])
    assert recognizer.predict_all(clips[:2]).by_modality.keys() == {"names"}
    assert main(["list", "features"]) == 0
    assert "[This test; added by the package own_package]" in capsys.readouterr().out


@pytest.mark.usefixtures("packages")
def test_a_system_of_another_package_is_evaluated_with_the_baselines_that_it_allows(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    for speaker in "abcd":
        for emotion in ("happy", "sad"):
            (folder / f"{speaker}_{emotion}.wav").write_bytes(f"{speaker} {emotion}".encode())
    corpus = open_corpus(folder, "manifest", pattern="{speaker}_{emotion}.wav")
    split = make_split(corpus, "leave-one-speaker-out")
    experiment = Experiment(corpus, split, "own-svm", {"feature": "name-length"})
    store = FeatureStore(tmp_path / "cache")
    found = run_experiment(experiment, tmp_path / "run", store=store)
    assert found.evaluation.correct.all()  # "sad" is shorter than "happy"
    beside = run_baselines(experiment, tmp_path / "baselines", "all", store=store)
    assert [result.evaluation.system for result in beside] == ["majority"]


@pytest.mark.usefixtures("packages")
def test_a_package_that_cannot_be_imported_is_named_and_passed_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="package broken_package cannot be used: ModuleNot"):
        corpora.get("broken")
    with pytest.raises(SettingsError, match="json:loads is not a class"):
        split_rules.get("cut")
    assert main(["list", "corpora"]) == 0
    assert "No module named 'a_module_that_nobody_has'" in capsys.readouterr().out
    (tmp_path / "03a01Fa.wav").write_bytes(b"RIFF")  # a name of EMO-DB
    assert open_corpus(tmp_path).name == "emodb"


class Direct:
    """A source that computes features on every request."""

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        return feature.extract(clip)
