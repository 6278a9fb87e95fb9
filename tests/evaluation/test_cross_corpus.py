"""Evaluations of joined corpora: one result per pair of corpora, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_runs import drawn_run, joined_run
from sklearn.metrics import accuracy_score, f1_score, recall_score

from aver.corpora import combine, open_corpus
from aver.corpora.combine import part_of
from aver.errors import SettingsError
from aver.evaluation.combine import fuse_late
from aver.evaluation.cross_corpus import check_apart, check_modalities, results_by_corpus
from aver.evaluation.experiment import Experiment, run_experiment, run_systems
from aver.evaluation.metrics import accuracy, macro_f1, unweighted_recall
from aver.evaluation.paired import compare
from aver.evaluation.pretrained_leaks import pretrained_leaks
from aver.features.audio_functionals import AudioFunctionals
from aver.features.face_functionals import FaceFunctionals
from aver.features.store import FeatureStore
from aver.splits import make_split
from tone_corpus import write_tone_corpus

SYSTEM = ("statistics-logistic", {"modalities": ["audio"]})


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Three corpora of tones with different speakers."""
    folder = tmp_path_factory.mktemp("corpora")
    return {
        name: write_tone_corpus(folder / name, speakers=speakers, takes=2, seed=seed)
        for seed, (name, speakers) in enumerate({"one": 4, "two": 3, "three": 5}.items())
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return FeatureStore(tmp_path_factory.mktemp("cache"))


PAIRS = {0: ["one"], 1: ["two"], 2: ["three"]}


def test_each_pair_has_the_figures_that_scikit_learn_computes():
    run = joined_run({"one": 4, "two": 3, "three": 5}, PAIRS, seeds=(0,))
    found = results_by_corpus(run)
    assert [(result.trained, result.tested) for result in found] == [
        (("one",), "two"),
        (("one",), "three"),
        (("two",), "one"),
        (("two",), "three"),
        (("three",), "one"),
        (("three",), "two"),
    ]
    table = run.predictions
    for result in found:
        fold = next(f for f, names in PAIRS.items() if tuple(names) == result.trained)
        rows = table[(table["fold"] == fold) & (table["clip_id"].map(part_of) == result.tested)]
        truth, predicted = rows["truth"], rows["prediction"]
        assert accuracy(result.evaluation).value == pytest.approx(accuracy_score(truth, predicted))
        assert unweighted_recall(result.evaluation).value == pytest.approx(
            recall_score(truth, predicted, average="macro")
        )
        assert macro_f1(result.evaluation).value == pytest.approx(
            f1_score(truth, predicted, average="macro")
        )
        assert set(result.evaluation.speakers) == set(rows["speaker"])


def test_a_single_corpus_has_no_pairs():
    assert results_by_corpus(drawn_run()) == ()


def test_paired_tests_and_late_fusion_keep_the_corpora():
    sizes, trained = {"one": 4, "two": 3, "three": 5}, {0: ["one"]}
    first = joined_run(sizes, trained, draw=1, skill=2.0)
    second = joined_run(sizes, trained, draw=2, system="other")
    found = compare(first, second)
    whole = compare(replace(first, facts={}), replace(second, facts={}))
    assert found.difference.value == whole.difference.value
    assert found.p_speakers == whole.p_speakers  # swaps whole speakers, whatever their corpus
    assert found.difference.low != whole.difference.low
    fused = fuse_late([first, second], "both")
    assert fused.speaker_corpora == first.speaker_corpora == ("three",) * 5 + ("two",) * 3


def test_an_experiment_trains_and_tests_on_different_corpora(corpora, store, tmp_path):
    corpus = combine(corpora)
    split = make_split(corpus, "cross-corpus", test="three")
    result = run_experiment(Experiment(corpus, split, *SYSTEM), tmp_path / "run", store=store)
    found = result.evaluation
    assert set(map(part_of, found.clip_ids)) == {"three"}
    assert found.facts["corpora"] == {
        "names": ["one", "two", "three"],
        "trained": {"0": ["one", "two"]},
        "notes": ["Emotions: happy, sad, angry."],
    }
    assert found.protocol.startswith("clean: cross-corpus(")
    assert not found.leaks
    assert found.correct.mean() > 0.8  # tones an octave apart
    (record,) = result.folds
    trained = {*record["train_speakers"], *record["validation_speakers"]}
    assert set(map(part_of, trained)) == {"one", "two"}
    assert set(map(part_of, record["test_speakers"])) == {"three"}
    assert set(record["card"]["labels_used"]["C and temperature"]) == {"validation"}


def test_leaving_one_out_is_the_same_as_each_single_run(corpora, store, tmp_path):
    corpus = combine(corpora)
    whole = run_experiment(
        Experiment(corpus, make_split(corpus, "leave-one-corpus-out"), *SYSTEM),
        tmp_path / "all",
        store=store,
    ).evaluation
    assert sorted(whole.clip_ids) == sorted(corpus.by_id)
    for result in results_by_corpus(whole):
        split = make_split(corpus, "cross-corpus", test=result.tested)
        single = run_experiment(
            Experiment(corpus, split, *SYSTEM), tmp_path / result.tested, store=store
        ).evaluation
        assert set(result.trained) == set(corpora) - {result.tested}
        assert single.clip_ids == result.evaluation.clip_ids
        assert np.array_equal(single.probabilities, result.evaluation.probabilities)


def test_adaptation_scales_each_speaker_alone_whatever_the_names_in_other_corpora(
    corpora, store, tmp_path
):
    """A speaker of another corpus with the same name has a scale of his or her own."""
    corpus = combine(corpora)
    split = make_split(corpus, "cross-corpus", train="one", test="three")
    experiment = Experiment(corpus, split, *SYSTEM, adapt="speaker")
    found = run_experiment(experiment, tmp_path / "run", store=store).evaluation
    assert "uses unlabeled clips of test speakers" in found.protocol
    alone = replace(corpus, clips=tuple(c for c in corpus if part_of(c.clip_id) != "two"))
    again = Experiment(alone, split, *SYSTEM, adapt="speaker")
    repeated = run_experiment(again, tmp_path / "again", store=store).evaluation
    assert np.array_equal(found.probabilities, repeated.probabilities)


def test_further_presets_run_on_the_same_folds_once_each(corpora, store, tmp_path):
    corpus = combine({name: corpora[name] for name in ("one", "two")})
    split = make_split(corpus, "cross-corpus", test="two")
    experiment = Experiment(corpus, split, *SYSTEM)
    further = {"statistics-svm": SYSTEM[1], "majority": {}}
    found = run_systems(experiment, tmp_path, further, store=store)
    assert [result.evaluation.system for result in found] == [
        "statistics-svm (modalities=audio)",
        "majority",
    ]
    assert {result.evaluation.clip_ids for result in found} == {
        tuple(sorted(c.clip_id for c in corpus if part_of(c.clip_id) == "two"))
    }
    assert (tmp_path / "majority" / "evaluation.json").exists()
    with pytest.raises(SettingsError, match="'statistics-logistic' is named twice"):
        run_systems(experiment, tmp_path, {"statistics-logistic": {}}, store=store)


def test_copies_of_clips_in_a_test_corpus_are_refused(corpora, store, tmp_path):
    (tmp_path / "copies").mkdir()
    for clip in corpora["one"].clips[:7]:
        copy = tmp_path / "copies" / Path(str(clip.audio)).name
        copy.write_bytes(Path(str(clip.audio)).read_bytes())
    copied = open_corpus(tmp_path / "copies", "manifest", pattern="{speaker}_{emotion}_{take}.wav")
    corpus = combine({"one": corpora["one"], "copies": copied})
    split = make_split(corpus, "cross-corpus", test="copies")
    with pytest.raises(SettingsError, match="7 clips of one have files that are also in copies"):
        run_experiment(Experiment(corpus, split, *SYSTEM), tmp_path / "run", store=store)


def test_files_are_compared_between_corpora_not_within_one():
    check_apart({"one": {"a": ["x", ""], "b": ["x"]}, "two": {"c": ["y", ""]}})
    with pytest.raises(SettingsError, match="2 clips of two have files that are also in one"):
        check_apart({"one": {"a": ["x"], "b": ["y"]}, "two": {"c": ["y"], "d": ["x"], "e": ["z"]}})


def test_a_modality_that_nothing_can_be_learned_of_is_refused(corpora):
    corpus = combine(corpora)
    split = make_split(corpus, "cross-corpus", test="three")
    both = [FaceFunctionals(), AudioFunctionals()]
    assert check_modalities("x", both[1:], corpus, split) == ()
    with pytest.raises(SettingsError, match="No training clip of one and two has video, which x"):
        check_modalities("x", both, corpus, split)
    with pytest.raises(SettingsError, match=r"has video, which x reads\. Add a training corpus"):
        check_modalities("x", both[:1], corpus, split)
    silent = tuple(
        replace(clip, audio=None) if part_of(clip.clip_id) == "three" else clip for clip in corpus
    )
    with pytest.raises(SettingsError, match="No clip of the test corpus three has audio"):
        check_modalities("x", both[1:], replace(corpus, clips=silent), split)


def test_a_corpus_that_partly_lacks_a_modality_is_remarked_on(corpora):
    corpus = combine(corpora)
    clips = tuple(
        replace(clip, audio=None) if clip.speaker == "one/s0" else clip for clip in corpus
    )
    split = make_split(corpus, "cross-corpus", test="three")
    found = check_modalities("x", [AudioFunctionals()], replace(corpus, clips=clips), split)
    assert found == ("18 of 24 clips of one have audio.",)


def test_weights_pretrained_on_test_speakers_leak_also_among_joined_corpora(corpora, tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"weights")
    card = {"trained_on": ["three"], "speakers": {"train": ["s0", "s1"], "validation": []}}
    (tmp_path / "card.json").write_text(json.dumps(card))
    corpus = combine(corpora)
    tested = make_split(corpus, "cross-corpus", test="three")
    (leak,) = pretrained_leaks([str(weights)], corpus, tested)
    assert "pretrained on 2 of the test speakers of three: s0, s1." in leak
    other = make_split(corpus, "cross-corpus", test="one")
    assert pretrained_leaks([str(weights)], corpus, other) == ()
