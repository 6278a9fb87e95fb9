"""An evaluation refuses what cannot be, and gives its parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import drawn_run, with_columns

from aver.errors import LabelError, SettingsError
from aver.evaluation.evaluation import TargetPredictions


def test_refuses_a_true_class_outside_the_classes() -> None:
    run = drawn_run()
    with pytest.raises(LabelError, match=r"Clip s0-00 is 'calm'.*neutral, happy"):
        with_columns(run, truth=("calm", *run.truth[1:]))


def test_refuses_rows_that_disagree_in_number_or_repeat() -> None:
    run = drawn_run()
    with pytest.raises(SettingsError, match=r"probabilities must have shape \(72, 4\)"):
        run.with_predictions(run.probabilities[:, :3])
    with pytest.raises(SettingsError, match="have no column 'sex'"):
        replace(run, predictions=run.predictions.drop(columns="sex"))
    with pytest.raises(SettingsError, match="tested twice"):
        with_columns(run, clip_id="s0-00", fold=0)
    turned = run.probabilities.copy()
    turned[3] = (1.4, -0.4, 0.0, 0.0)
    with pytest.raises(SettingsError, match="A probability of clip s0-03 is below 0"):
        run.with_predictions(turned)
    turned[3] = np.nan
    with pytest.raises(SettingsError, match="clip s0-03 sum to nan, not 1"):
        run.with_predictions(turned)
    with pytest.raises(SettingsError, match="sum to"):
        run.with_predictions(run.probabilities * 2)
    with pytest.raises(SettingsError, match="no tested clip"):
        replace(run, predictions=run.predictions[:0])


def test_one_modality_alone_keeps_the_clips_that_have_it() -> None:
    run = drawn_run()
    alone = run.probabilities[:, ::-1].copy()
    alone[:10] = np.nan
    run = run.with_predictions(run.probabilities, by_modality={"audio": alone})
    audio = run.of_modality("audio")
    assert audio.clip_ids == run.clip_ids[10:]
    np.testing.assert_array_equal(audio.probabilities, alone[10:])
    with pytest.raises(SettingsError, match="no predictions from 'video' alone"):
        run.of_modality("video")


def test_another_target_is_an_evaluation_of_its_own() -> None:
    run = drawn_run()
    rows = len(run.clip_ids)
    truth = np.eye(2)[np.arange(rows) % 2]
    truth[:4] = np.nan
    predictions = np.tile([0.3, 0.7], (rows, 1))
    target = TargetPredictions("classification", ("normal", "strong"), truth, predictions)
    intensity = run.with_predictions(run.probabilities, targets={"intensity": target}).of_target(
        "intensity"
    )
    assert intensity.classes == ("normal", "strong")
    assert len(intensity.clip_ids) == rows - 4
    assert intensity.correct.mean() == pytest.approx(0.5)
    with pytest.raises(SettingsError, match="no classification target 'votes'"):
        run.of_target("votes")


def test_a_target_refuses_shapes_that_disagree() -> None:
    with pytest.raises(LabelError, match=r"\(rows, 2\)"):
        TargetPredictions("regression", ("a", "b"), np.zeros((3, 2)), np.zeros((3, 1)))
