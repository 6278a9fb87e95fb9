"""The final recognizer is fitted on every clip, says so, and names the evaluation's figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aver.errors import CheckpointError, SettingsError
from aver.evaluation.experiment import Experiment, run_experiment
from aver.evaluation.final import fit_final
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import load_recognizer
from aver.splits import make_split
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    corpus = write_tone_corpus(tmp_path_factory.mktemp("tones"), speakers=4, takes=2)
    split = make_split(corpus, "speaker-kfold", folds=4)
    return Experiment(corpus, split, "statistics-logistic", {"modalities": ["audio"]})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def run(
    experiment: Experiment, store: FeatureStore, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("run")
    result = run_experiment(experiment, folder, store=store)
    with pytest.raises(CheckpointError, match="Repeat its command with --final to fit one"):
        load_recognizer(folder, store)
    fit_final(experiment, folder, result.evaluation, store=store)
    return folder


def test_it_is_the_recognizer_that_the_same_fit_on_all_clips_gives(
    experiment: Experiment, store: FeatureStore, run: Path
) -> None:
    held = set(experiment.split.folds[0].validation)
    kind, settings = load_preset(experiment.preset, experiment.overrides)
    clips = experiment.corpus.clips
    expected = kind(settings, store).fit(
        [clip for clip in clips if clip.clip_id not in held],
        [clip for clip in clips if clip.clip_id in held],
    )
    found = load_recognizer(run, store)  # of several checkpoints, this one
    unlabeled = [clip.without_labels() for clip in clips]
    np.testing.assert_array_equal(found.predict_proba(unlabeled), expected.predict_proba(unlabeled))


def test_the_card_names_the_clips_and_the_expected_quality(run: Path) -> None:
    card = json.loads((run / "final" / "checkpoint" / "card.json").read_text("utf-8"))
    figures = json.loads((run / "evaluation.json").read_text("utf-8"))["figures"]["metrics"]
    assert card["fitted_on_all"].startswith("Fitted on all 24 clips of 4 speakers; choices were")
    assert {*card["speakers"]["train"], *card["speakers"]["validation"]} == {"s0", "s1", "s2", "s3"}
    assert "test" not in card["speakers"]
    for name, figure in card["expected"]["metrics"].items():
        assert figure["value"] == pytest.approx(figures[name]["value"], abs=1e-4)
    assert "expected quality is that of the evaluation" in card["expected"]["statement"]
    readme = (run / "final" / "checkpoint" / "README.md").read_text("utf-8")
    assert card["fitted_on_all"] in readme


def test_without_refit_the_held_out_speakers_are_named(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    alone = replace(experiment, overrides={"modalities": ["audio"], "refit": False})
    final = fit_final(alone, tmp_path, store=store)
    speaker = final.recognizer.card["speakers"]["validation"][0]
    said = final.recognizer.card["fitted_on_all"]
    assert said.startswith("Fitted on 18 clips of 3 speakers; 6 clips of 1 speakers")
    assert f"({speaker}) were held out" in said
    assert (
        "not known: these settings were not evaluated"
        in (final.recognizer.card["expected"]["statement"])
    )


def test_the_evaluation_must_be_of_the_same_settings(
    experiment: Experiment, store: FeatureStore, run: Path, tmp_path: Path
) -> None:
    final = fit_final(experiment, run, store=store)  # reads the evaluation of the folder
    assert final.evaluation is not None
    other = replace(experiment, overrides={"modalities": ["audio"], "Cs": [1.0]})
    with pytest.raises(SettingsError, match="holds an evaluation with another settings"):
        fit_final(other, run, store=store)


def test_a_leaking_protocol_gives_no_recognizer(experiment: Experiment, tmp_path: Path) -> None:
    leaking = replace(experiment, preset="synch-graph-compact", leaking=True)
    with pytest.raises(SettingsError, match="gives no recognizer"):
        fit_final(leaking, tmp_path)
