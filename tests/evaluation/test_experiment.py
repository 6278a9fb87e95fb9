"""Experiments: folds pooled, resumed, independent of workers; test labels never shown."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation import experiment as experiment_module
from aver.evaluation.baselines import run_baselines
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.experiment import Experiment, run_experiment
from aver.features.store import FeatureStore
from aver.models.baselines.functionals import StatisticsLogistic
from aver.models.snn_cross_modal.recognizer import SnnAudio
from aver.reports.run_report import describe_run, write_run_report
from aver.splits import load_split, make_split
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    corpus = write_tone_corpus(tmp_path_factory.mktemp("tones"))
    split = make_split(corpus, "speaker-kfold", folds=3)
    return Experiment(corpus, split, "statistics-logistic", {"modalities": ["audio"]})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    return FeatureStore(tmp_path_factory.mktemp("cache"))


def test_every_clip_is_tested_once(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    found = run_experiment(experiment, tmp_path, store=store).evaluation
    assert sorted(found.clip_ids) == sorted(clip.clip_id for clip in experiment.corpus)
    assert found.truth == tuple(
        experiment.corpus.by_id[clip_id].emotion for clip_id in found.clip_ids
    )
    assert found.leaks == ()
    # Three tones an octave apart: the answers must be far from chance (1/3).
    assert found.correct.mean() > 0.8


def test_preset_audit_and_content_keys_are_computed_once(
    experiment: Experiment, store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_experiment(experiment, tmp_path / "before", store=store)  # fills the feature cache
    counts: Counter[str] = Counter()

    def counted(place: object, name: str) -> None:
        original = getattr(place, name)

        def count(*arguments: object, **named: object) -> object:
            counts[name] += 1
            return original(*arguments, **named)

        monkeypatch.setattr(place, name, count)

    counted(experiment_module, "load_preset")
    counted(experiment_module, "audit_split")
    counted(FeatureStore, "content_key")
    fresh = replace(experiment)
    result = run_experiment(fresh, tmp_path / "run", store=store)
    run_baselines(fresh, tmp_path / "baselines", "quick", beside=[result], store=store)
    assert counts["load_preset"] == 4  # the system and its baselines, of which it is one
    assert counts["audit_split"] == 1
    clips = len(experiment.corpus)
    # For the system and one baseline with a feature: once in the identity, once to look for the
    # entry, and on every read, which must notice a changed file: train, validation, test; in each
    # fold two thirds of the clips once more, for the distance to the training data.
    assert counts["content_key"] == 2 * (clips + clips + 3 * clips + 2 * clips)


def test_the_run_folder_records_settings_split_and_environment(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    import yaml

    result = run_experiment(experiment, tmp_path, store=store)
    plan = yaml.safe_load((tmp_path / "settings.yaml").read_text())
    assert plan["split_hash"] == experiment.split.hash
    assert plan["settings"]["modalities"] == ["audio"]
    assert (tmp_path / "environment.json").exists()
    again = load_evaluation(tmp_path)
    assert again.clip_ids == result.evaluation.clip_ids
    np.testing.assert_array_equal(again.probabilities, result.evaluation.probabilities)


def test_card_and_report_hold_the_audit(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    leaking = replace(experiment, split=make_split(experiment.corpus, "random"))
    clean = run_experiment(experiment, tmp_path / "clean", store=store)
    leaky = run_experiment(leaking, tmp_path / "leaky", store=store)
    for result, said in ((clean, "no leak found"), (leaky, "LEAKS")):
        assert result.evaluation.facts["audit"].startswith(said)
        card = json.loads(next(result.folder.rglob("card.json")).read_text())
        assert card["audit"] == result.evaluation.facts["audit"]
        assert (
            card["split_hash"] == load_split(result.folder / "split.json", experiment.corpus).hash
        )
        parts = card["speakers"]
        assert set(parts) == {"train", "validation", "test"}
        assert card["license"]
    shared = set(card["speakers"]["train"]) & set(card["speakers"]["test"])
    assert shared


def test_results_do_not_depend_on_the_number_of_workers(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    one = run_experiment(experiment, tmp_path / "one", store=store, workers=1).evaluation
    two = run_experiment(experiment, tmp_path / "two", store=store, workers=2).evaluation
    assert one.clip_ids == two.clip_ids
    np.testing.assert_array_equal(one.probabilities, two.probabilities)


def test_finished_folds_are_not_run_again(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    first = run_experiment(experiment, tmp_path, store=store).evaluation
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("fold.json")}
    (tmp_path / "folds" / "seed-0" / "fold-01" / "fold.json").unlink()
    second = run_experiment(experiment, tmp_path, store=store).evaluation
    redone = [path for path in stamps if path.stat().st_mtime_ns != stamps[path]]
    assert [path.parent.name for path in redone] == ["fold-01"]
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_a_folder_of_another_run_is_refused_and_left_as_it_was(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    run_experiment(experiment, tmp_path, store=store)
    before = _contents(tmp_path)
    others = [
        replace(experiment, preset="statistics-svm"),
        replace(experiment, split=make_split(experiment.corpus, "leave-one-speaker-out")),
        replace(experiment, seeds=(5,)),
    ]
    for other in others:
        with pytest.raises(SettingsError, match="--out"):
            run_experiment(other, tmp_path, store=store)
        assert _contents(tmp_path) == before


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_may_grow_by_more_seeds_but_not_shrink(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    import yaml

    run_experiment(experiment, tmp_path, store=store)
    more = replace(experiment, seeds=(0, 5))
    assert run_experiment(more, tmp_path, store=store).evaluation.seed_values == (0, 5)
    assert yaml.safe_load((tmp_path / "settings.yaml").read_text())["seeds"] == [0, 5]
    with pytest.raises(SettingsError, match="holds folds/seed-5/fold-00, which this run leaves"):
        run_experiment(experiment, tmp_path, store=store)


def test_recognizers_never_see_test_labels(
    experiment: Experiment, store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str | None] = []
    original = StatisticsLogistic.predict_clips

    def spy(self: StatisticsLogistic, clips):  # type: ignore[no-untyped-def]
        seen.extend(clip.emotion for clip in clips)
        return original(self, clips)

    monkeypatch.setattr(StatisticsLogistic, "predict_clips", spy)
    run_experiment(experiment, tmp_path, store=store)
    assert len(seen) == len(experiment.corpus)
    assert set(seen) == {None}


def test_unreadable_clips_are_skipped_and_listed(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF but no more")
    clips = list(experiment.corpus.clips)
    clips[0] = replace(clips[0], audio=broken)
    hurt = replace(experiment, corpus=replace(experiment.corpus, clips=tuple(clips)))
    result = run_experiment(hurt, tmp_path / "run", store=store)
    assert [failure.clip.clip_id for failure in result.failures] == [clips[0].clip_id]
    assert clips[0].clip_id not in result.evaluation.clip_ids
    assert len(result.evaluation.clip_ids) == len(clips) - 1
    with pytest.raises(MediaError, match=clips[0].clip_id):
        run_experiment(hurt, tmp_path / "strict", store=store, strict=True)


def test_clip_without_label_is_an_error(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    clips = (replace(experiment.corpus.clips[0], emotion=None), *experiment.corpus.clips[1:])
    unlabelled = replace(experiment, corpus=replace(experiment.corpus, clips=clips))
    with pytest.raises(LabelError, match=clips[0].clip_id):
        run_experiment(unlabelled, tmp_path, store=store)


def test_baselines_are_tested_on_the_same_clips(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    own = run_experiment(experiment, tmp_path, store=store).evaluation
    changed = experiment.beside(overrides={**experiment.overrides, "scaling": "standard"})
    beside = run_baselines(changed, tmp_path / "baselines", "quick", store=store)
    assert [result.evaluation.system for result in beside] == [
        "majority",
        "statistics-logistic",
        "statistics-svm",
    ]
    for result in beside:
        assert result.evaluation.clip_ids == own.clip_ids
    # Balanced classes: the majority is right exactly once in three.
    assert beside[0].evaluation.correct.mean() == pytest.approx(1 / 3)


def test_validation_clips_that_are_also_test_clips_are_not_trained_on(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    """Labels drawn by lot: only who has learnt the tested clips by heart answers them."""
    corpus = experiment.corpus
    random = np.random.default_rng(0)
    clips = [replace(clip, emotion=str(random.choice(corpus.classes))) for clip in corpus]
    corpus = replace(corpus, clips=tuple(clips))
    shares = {}
    for validation in ("nested", "test"):
        by_lot = replace(
            experiment,
            corpus=corpus,
            split=make_split(corpus, "speaker-kfold", folds=3, validation=validation),
            overrides={"modalities": ["audio"], "Cs": [1.0]},
        )
        folder = tmp_path / validation
        found = run_experiment(by_lot, folder, store=store).evaluation
        shares[validation] = found.correct.mean()
        assert ("refit was switched off" in describe_run((found,))) == (validation == "test")
        cards = [json.loads(path.read_text()) for path in sorted(folder.rglob("card.json"))]
        assert [card["settings"]["refit"] for card in cards] == [validation == "nested"] * 3
        assert [bool(card.get("remarks")) for card in cards] == [validation == "test"] * 3
    assert shares["nested"] < 0.6
    assert shares["test"] < 0.6


def test_a_split_without_validation_clips_is_an_error_with_advice(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    split = make_split(experiment.corpus, "random", shares="80/20")
    network = replace(experiment, split=split, preset="mrpn-statistics")
    with pytest.raises(LabelError, match="shares=60/20/20, or validation=test"):
        run_experiment(network, tmp_path, store=store)
    again = make_split(experiment.corpus, "random", shares="80/20", validation="test")
    assert again.folds[0].validation == again.folds[0].test


def test_a_leaking_protocol_is_run_if_the_system_has_one(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    """Tables of such a protocol have rows of systems without one beside it; those are fitted."""
    one_fold = replace(experiment.split, folds=experiment.split.folds[:1])
    plain = replace(experiment, split=one_fold, leaking=True)
    assert plain.leaks == ()
    folder = run_experiment(plain, tmp_path / "plain", store=store).folder
    assert (folder / "folds" / "seed-0" / "fold-00" / "checkpoint").is_dir()
    small = {
        "layer.feature_settings.frame_count": 20, "layer.window": [0, 5], "layer.stride": [0, 5],
        "layer.features": 2, "layer.dynamics.stimulus_ms": 50.0,
    }  # fmt: skip
    voice = replace(plain, preset="snn-audio-paper", overrides=small)
    found = run_experiment(voice, tmp_path / "voice", store=store)
    assert found.evaluation.leaks == SnnAudio.protocol_leaks
    assert found.evaluation.protocol.startswith("LEAKS")
    assert not list(found.folder.rglob("checkpoint"))


def test_a_run_without_seeds_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least one seed"):
        Experiment(None, None, "majority", seeds=())  # type: ignore[arg-type]


def test_a_baseline_is_not_compared_with_itself(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    """The system is a baseline: the others remain, and Holm corrects for two, not for three."""
    own = run_experiment(experiment, tmp_path, store=store)
    folder = tmp_path / "baselines"
    others = run_baselines(experiment, folder, "quick", beside=(own,), store=store)
    assert [result.evaluation.system for result in others] == ["majority", "statistics-svm"]
    assert not (folder / "statistics-logistic").exists()
    changed = replace(experiment, overrides={**experiment.overrides, "Cs": [1.0]})
    another = run_experiment(changed, tmp_path / "changed", store=store)
    others = run_baselines(changed, folder, "quick", beside=(another,), store=store)
    assert "statistics-logistic" in [result.evaluation.system for result in others]


def test_the_title_names_the_settings_changed(experiment: Experiment) -> None:
    overrides = {"training.epochs": 20, "audio.width": 1, "video.width": 2, "modalities": ["audio"]}
    changed = replace(experiment, preset="mrpn-compact", overrides=overrides)
    assert changed.title == (
        "mrpn-compact (epochs=20, audio.width=1, video.width=2, modalities=audio)"
    )
    assert replace(changed, name="Ours").title == "Ours"
    long = replace(experiment, overrides={"features.audio.weights": "w" * 100})
    assert long.title == f"statistics-logistic (weights={'w' * 23}…)"


def test_names_of_the_user_in_titles_and_captions(
    experiment: Experiment, store: FeatureStore, tmp_path: Path
) -> None:
    named = replace(experiment, name="Ours", corpus_title="Seminar clips")
    result = run_experiment(named, tmp_path, store=store)
    others = run_baselines(named, tmp_path / "b", "quick", beside=(result,), store=store)
    assert {other.evaluation.system for other in others} >= {"majority"}
    words = describe_run([result.evaluation, *(other.evaluation for other in others)])
    assert words.startswith("Ours predicts ")
    assert "on Seminar clips: " in words
    assert "paper protocol" not in words  # a column without a number
    write_run_report(result, others)
    card = json.loads((tmp_path / "tables" / "classes.json").read_text("utf-8"))
    assert card["about"][0].startswith("Seminar clips: ")
    assert card["about"][1].startswith("Protocol: clean: speaker-kfold")
    assert "Each interval is a 95 % interval by itself" in words
