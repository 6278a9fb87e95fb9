"""Pooling: what folds answer is put together by name, whatever each fold's training lacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.evaluation.experiment import Experiment, pool_folds
from aver.evaluation.fold_run import FoldRun
from aver.models.base.prediction import Prediction, save_prediction
from aver.models.base.presets import load_preset
from aver.splits.split import Fold, Split

CLIPS = (
    Clip("a", "s1", "happy", intensity="normal", votes={"face": {"happy": 0.75, "sad": 0.25}}),
    Clip("b", "s2", "sad", intensity="strong", votes={"face": {"sad": 1.0}}),
    Clip("c", "s3", "happy", intensity="low", votes={"face": {"happy": 0.5, "fearful": 0.5}}),
)


def _predictions(clip: Clip, outputs: dict[str, dict[str, float]]) -> Prediction:
    return Prediction(
        clip_ids=(clip.clip_id,),
        classes=("happy", "sad"),
        probabilities=np.array([[0.6, 0.4]]),
        other_targets={name: np.array([list(said.values())]) for name, said in outputs.items()},
        other_outputs={name: tuple(said) for name, said in outputs.items()},
    )


def test_columns_of_targets_are_matched_by_name(tmp_path: Path) -> None:
    said = [
        {"intensity": {"normal": 0.9, "strong": 0.1}, "votes-face": {"happy": 0.7, "sad": 0.3}},
        {"intensity": {"low": 0.2, "strong": 0.8}, "votes-face": {"sad": 0.9, "fearful": 0.1}},
        {
            "intensity": {"low": 0.5, "normal": 0.3, "strong": 0.2},
            "votes-face": {"happy": 0.2, "sad": 0.5, "fearful": 0.3},
        },
    ]
    tasks = []
    for number, (clip, outputs) in enumerate(zip(CLIPS, said, strict=True)):
        folder = tmp_path / str(number)
        save_prediction(_predictions(clip, outputs), folder / "predictions.safetensors")
        others = tuple(other for other in CLIPS if other is not clip)
        tasks.append(
            FoldRun(
                *load_preset("majority"),
                *(others, (), (clip,), 0, number, folder, tmp_path / "cache"),
            )
        )
    corpus = Corpus("drawn", tmp_path, CLIPS)
    folds = tuple(
        Fold(tuple(clip.clip_id for clip in task.train), (), (task.test[0].clip_id,))
        for task in tasks
    )
    experiment = Experiment(corpus, Split("drawn", "drawn", 0, folds, ()), "majority")
    records = [{"fit_s": 1.0, "predict_s": 1.0, "card": {}}] * 3
    found = pool_folds(experiment, tasks, records).target_predictions

    intensity, votes = found["intensity"], found["votes-face"]
    assert set(intensity.outputs) == {"low", "normal", "strong"}
    assert votes.outputs == ("happy", "sad", "fearful")
    for row, (clip, outputs) in enumerate(zip(CLIPS, said, strict=True)):
        for target, name in ((intensity, "intensity"), (votes, "votes-face")):
            by_name = dict(zip(target.outputs, target.predictions[row].tolist(), strict=True))
            assert by_name == {word: outputs[name].get(word, 0.0) for word in target.outputs}
        assert intensity.outputs[intensity.truth[row].argmax()] == clip.intensity
        true = dict(zip(votes.outputs, votes.truth[row].tolist(), strict=True))
        assert true == {word: clip.votes["face"].get(word, 0.0) for word in votes.outputs}
