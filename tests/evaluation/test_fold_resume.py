"""An unfinished fold is gone on with only by the fold that it is."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aver import api
from aver.errors import SettingsError, TrainingInterrupted
from aver.evaluation.fold_run import FoldRun, read_fold, run_fold
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.splits import make_split
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def fold(tmp_path_factory: pytest.TempPathFactory) -> FoldRun:
    """A training of a second or two; it is broken off after its first epoch."""
    place = tmp_path_factory.mktemp("fold")
    corpus = write_tone_corpus(place / "tones", speakers=5, takes=2)
    by_speaker = [tuple(c for c in corpus.clips if c.speaker == f"s{n}") for n in range(5)]
    return FoldRun(
        *load_preset(
            "mrpn-statistics",
            {"modalities": ["audio"], "training.epochs": 80, "training.patience": 80},
        ),
        train=by_speaker[0] + by_speaker[1],
        validation=by_speaker[2],
        test=by_speaker[3],
        seed=0,
        fold=0,
        folder=place / "unbroken",
        cache=place / "cache",
    )


def break_off(task: FoldRun) -> None:
    """Ctrl-C as soon as there is a state to resume from."""

    def press() -> None:
        while not list(task.folder.rglob("resume.ckpt")):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(TrainingInterrupted):
        run_fold(task)
    thread.join()


def test_an_unfinished_fold_is_resumed_only_by_the_same_fold(fold: FoldRun, tmp_path: Path) -> None:
    task = replace(fold, folder=tmp_path)
    break_off(task)
    state = (tmp_path / "resume.ckpt").read_bytes()
    for other in (
        replace(task, train=task.validation, validation=task.train),
        replace(task, seed=1),
        replace(task, wanted=replace(task.wanted, dropout=0.5)),
    ):
        with pytest.raises(SettingsError, match="another folder with --out"):
            run_fold(other)
    assert (tmp_path / "resume.ckpt").read_bytes() == state
    run_fold(task)
    assert not list(tmp_path.rglob("resume.ckpt"))
    np.testing.assert_array_equal(
        read_fold(tmp_path).probabilities, read_fold(run_fold(fold)).probabilities
    )


def test_a_state_of_unknown_origin_is_not_resumed(fold: FoldRun, tmp_path: Path) -> None:
    run_fold(fold)
    broken = replace(fold, folder=tmp_path, train=fold.validation, validation=fold.train)
    break_off(broken)
    (tmp_path / "started.json").unlink()
    run_fold(replace(fold, folder=tmp_path))
    np.testing.assert_array_equal(
        read_fold(tmp_path).probabilities, read_fold(fold.folder).probabilities
    )


def test_a_single_fold_keeps_its_number(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "tones")
    split = make_split(corpus, "speaker-kfold", folds=3)
    chosen = {"split": split, "overrides": {"modalities": ["audio"]}, "workers": 1}
    store = FeatureStore(tmp_path / "cache")
    result = api.train(
        *(corpus, "statistics-logistic"), **chosen, out=tmp_path / "run", fold=2, store=store
    )
    assert (tmp_path / "run" / "folds" / "seed-0" / "fold-02" / "fold.json").exists()
    assert set(result.evaluation.folds) == {2}
    assert set(result.evaluation.clip_ids) == set(split.folds[2].test)
