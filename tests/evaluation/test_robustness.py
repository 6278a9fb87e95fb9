"""Finished runs answer again from worse media, through the path of every other answer."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aver.corpora.user_files import attach_action_units
from aver.errors import CheckpointError, SettingsError
from aver.evaluation.experiment import Experiment, ExperimentResult, run_experiment
from aver.evaluation.metrics import accuracy
from aver.evaluation.robustness import (
    FOLDER,
    DegradedRuns,
    RobustnessPlan,
    measure_robustness,
    read_robustness,
)
from aver.features.store import FeatureStore
from aver.media.degradation import degradation
from aver.reports.robustness_report import MeasuredRun, robustness_tables
from aver.splits import make_split
from tone_corpus import PITCHES_HZ, write_tone_corpus


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[ExperimentResult, Experiment]:
    """A run of sound and units on four folds, two seeds."""
    folder = tmp_path_factory.mktemp("robust")
    corpus = write_tone_corpus(folder / "tones", speakers=4, takes=2)
    random = np.random.default_rng(0)
    table = folder / "units.csv"
    rows = [
        f"{clip.clip_id},{list(PITCHES_HZ).index(str(clip.emotion)) + random.normal(0, 0.8):.3f}\n"
        for clip in corpus
    ]
    table.write_text("clip,AU01_r\n" + "".join(rows))
    corpus = attach_action_units(corpus, table)
    split = make_split(corpus, "speaker-kfold", folds=4)
    changes = {"modalities": ["audio", "action_units"]}
    experiment = Experiment(corpus, split, "statistics-logistic", changes, seeds=(0, 1))
    store = FeatureStore(folder / "cache")
    return run_experiment(experiment, folder / "run", store=store), experiment


def measure(finished, store=None, workers=1, **levels):
    result, experiment = finished
    plan = RobustnessPlan(
        {degradation(name.replace("_", "-")): tuple(found) for name, found in levels.items()}
    )
    store = store or FeatureStore(result.folder.parent / "cache")
    found = measure_robustness(
        result.evaluation,
        result.folder,
        experiment.corpus.clips,
        store,
        plan,
        workers=workers,
    )
    return {entry.kind.name: entry.runs for entry in found}


def test_weak_noise_changes_nothing_and_noise_that_hides_the_voice_makes_it_missing(
    finished,
) -> None:
    run = finished[0].evaluation
    found = measure(finished, white_noise=[100.0, -40.0])["white-noise"]
    np.testing.assert_allclose(found[100.0].probabilities, run.probabilities, atol=0.02)
    assert (found[100.0].prediction_index == run.prediction_index).all()
    assert accuracy(found[100.0].of_modality("audio")).value > 0.8
    hidden = found[-40.0]
    assert np.isnan(hidden.by_modality["audio"]).all()
    assert all("no speech" in flag for flag in hidden.flags)
    np.testing.assert_allclose(hidden.probabilities, run.by_modality["action_units"], atol=1e-6)


def test_a_lost_modality_is_predicted_by_the_other(finished) -> None:
    run = finished[0].evaluation
    found = measure(finished, lost_modality=["audio", "video", "action_units"])["lost-modality"]
    assert list(found) == ["audio", "action_units"]  # it never looked at video
    for lost, other in (("audio", "action_units"), ("action_units", "audio")):
        alone = run.by_modality[other]
        np.testing.assert_allclose(found[lost].probabilities, alone, atol=1e-6)
        assert np.isnan(found[lost].by_modality[lost]).all()
    assert all(any("silent" in flag for flag in flags) for flags in found["audio"].flags)


def test_degradations_of_modalities_that_are_not_read_are_left_out(finished) -> None:
    assert list(measure(finished, blur=[1.0], offset=[0.2])) == ["offset"]
    with pytest.raises(SettingsError, match="reads audio, action_units; none of blur"):
        measure(finished, blur=[1.0])
    with pytest.raises(SettingsError, match="none of lost-modality changes that"):
        measure(finished, **{"lost-modality": ["video"]})


def test_predictions_are_kept_and_features_are_not(finished) -> None:
    folder = finished[0].folder
    store = FeatureStore(folder.parent / "cache")
    before = set(store.root.rglob("*.safetensors"))
    first = measure(finished, store=store, babble=[0.0])["babble"][0.0]
    assert set(store.root.rglob("*.safetensors")) == before
    elsewhere = FeatureStore(folder.parent / "nothing here")
    hidden = folder.parent / "hidden"
    some = folder / "folds" / "seed-1"
    shutil.move(some, hidden)  # only read again if asked again
    try:
        again = measure(finished, store=elsewhere, babble=[0.0])["babble"][0.0]
    finally:
        shutil.move(hidden, some)
    np.testing.assert_array_equal(again.probabilities, first.probabilities)
    assert not elsewhere.root.exists()
    kept = {
        entry.kind.name: entry.runs for entry in read_robustness(finished[0].evaluation, folder)
    }
    np.testing.assert_array_equal(kept["babble"][0.0].probabilities, first.probabilities)


def test_a_run_with_speaker_adaptation_predicts_from_adapted_features(
    finished, tmp_path: Path
) -> None:
    _, experiment = finished
    adapted = replace(experiment, adapt="speaker", seeds=(0,))
    store = FeatureStore(tmp_path / "cache")
    result = run_experiment(adapted, tmp_path / "run", store=store)
    found = measure((result, adapted), store=store, white_noise=[100.0])["white-noise"][100.0]
    assert (found.prediction_index == result.evaluation.prediction_index).mean() > 0.95


def test_two_processes_predict_as_one(finished) -> None:
    folder = finished[0].folder
    one = measure(finished, white_noise=[3.0])["white-noise"][3.0]
    shutil.rmtree(folder / FOLDER / "white-noise" / "3")
    two = measure(finished, workers=2, white_noise=[3.0])["white-noise"][3.0]
    # Not to the last digit: statistics of sound round differently from process to process.
    np.testing.assert_allclose(one.probabilities, two.probabilities, atol=1e-5)


def test_measurements_of_another_run_are_not_used(finished, tmp_path: Path) -> None:
    result, _ = finished
    measure(finished, white_noise=[10.0])
    other = result.evaluation.with_predictions(result.evaluation.probabilities[:, ::-1])
    assert read_robustness(other, result.folder) == ()


@pytest.mark.parametrize("kind", ["white-noise", "babble"])
def test_a_clip_that_cannot_be_read_is_left_out_and_named(
    finished, kind: str, tmp_path: Path
) -> None:
    """Another clip keeps its prediction; the clip is back when its file is."""
    result, experiment = finished
    first, second, *others = experiment.corpus.clips
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF of no use" * 300)
    plan = RobustnessPlan({degradation(kind): (7.0,)})
    store = FeatureStore(tmp_path / "cache")

    def measured(*clips) -> DegradedRuns:
        evaluation, folder = result.evaluation, result.folder
        return measure_robustness(evaluation, folder, clips, store, plan)[0]

    some = measured(replace(first, audio=broken), *others)
    assert set(some.unreadable) == {first.clip_id, second.clip_id}
    assert "broken.wav" in some.unreadable[first.clip_id]
    assert "does not hold it" in some.unreadable[second.clip_id]
    run = some.runs[7.0]
    assert {first.clip_id, second.clip_id} & {*run.clip_ids} == set()
    table = robustness_tables([MeasuredRun(result.evaluation, (some,))])[0]
    assert f"could not be read: {first.clip_id}" in " ".join(table.notes)
    whole = measured(first, second, *others)
    assert whole.unreadable == {}
    if kind == "white-noise":  # babble is made of the other clips
        kept = [clip_id in {*run.clip_ids} for clip_id in whole.runs[7.0].clip_ids]
        np.testing.assert_allclose(
            whole.runs[7.0].rows(kept).probabilities, run.probabilities, atol=1e-9
        )


def test_errors_say_what_to_do(finished, tmp_path: Path) -> None:
    result, experiment = finished
    plan = RobustnessPlan({degradation("babble"): (0.0,)})
    store = FeatureStore(tmp_path / "cache")
    with pytest.raises(CheckpointError, match="Name the corpus"):
        measure_robustness(
            result.evaluation, result.folder, experiment.corpus.clips[:3], store, plan
        )
    leaking = replace(result.evaluation, leaks=("edges are made from test labels.",))
    with pytest.raises(CheckpointError, match="kept no checkpoints"):
        measure_robustness(leaking, tmp_path, experiment.corpus.clips, store, plan)
