"""Run folders of version 0.1 are loaded, reported, audited and measured; they are not continued."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from aver import api
from aver.audit import audit_run
from aver.corpora import open_corpus
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.robustness import RobustnessPlan, measure_robustness, read_robustness
from aver.evaluation.summary import summarize
from aver.features.store import FeatureStore
from aver.media.degradation import degradation
from aver.splits import load_split

ROOT = Path(__file__).parents[1] / "fixtures" / "version_0_1"
FIGURES = ("metrics", "recall", "confusion", "speaker_accuracy", "fold_accuracy", "seed_accuracy")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "evaluate" / "mrpn", tmp_path / "mrpn"))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return open_corpus(ROOT / "corpus")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("place", ["", "baselines/majority", "robustness/white-noise/0"])
def test_an_evaluation_has_todays_names_and_the_same_figures(folder: Path, place: str) -> None:
    recorded = json.loads((folder / place / "evaluation.json").read_text())
    assert recorded["format"] == "aver evaluation 1"
    run = load_evaluation(folder / place)
    assert run.modalities == tuple("audio" if m == "sound" else m for m in recorded["modalities"])
    figures = summarize(run).as_json()
    assert {name: figures[name] for name in FIGURES} == {
        name: recorded["figures"][name] for name in FIGURES
    }
    overrides = json.dumps(run.facts["overrides"])
    assert "sound" not in overrides
    save_evaluation(run, folder / "again")
    assert load_evaluation(folder / "again").predictions.equals(run.predictions)


def test_what_was_measured_is_found_and_measured_again_the_same(
    folder: Path, corpus: Corpus, store: FeatureStore
) -> None:
    run = load_evaluation(folder)
    recorded = {entry.kind.name: entry.runs for entry in read_robustness(run, folder)}
    assert list(recorded["lost-modality"]) == ["audio", "video"]
    assert list(recorded["white-noise"]) == [0.0, 10.0]
    plan = RobustnessPlan({degradation("lost-modality"): ("audio",)})
    one_fold = np.flatnonzero(run.folds == 2)  # both seeds
    (again,) = measure_robustness(run.rows(one_fold), folder, corpus.clips, store, plan)
    before = recorded["lost-modality"]["audio"].rows(one_fold)
    np.testing.assert_allclose(again.runs["audio"].probabilities, before.probabilities, atol=1e-5)


def test_it_is_reported_and_audited(folder: Path, corpus: Corpus) -> None:
    written = api.report(folder, corpus=corpus)
    assert "mrpn-statistics" in written.page.read_text("utf-8")
    assert audit_run(folder, corpus).verdict.startswith("no leak found")


def test_it_is_not_continued_and_left_as_it_was(
    folder: Path, corpus: Corpus, store: FeatureStore
) -> None:
    folder /= "baselines/majority"  # without features, which need not be extracted
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(SettingsError, match=r"a run of version 0.1.*Choose another folder"):
        api.evaluate(
            corpus,
            "majority",
            out=folder,
            split=load_split(folder / "split.json", corpus),
            baselines="none",
            store=store,
            workers=1,
        )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
