"""What is saved is loaded back to the last digit; foreign or torn files are one clear error."""

from __future__ import annotations

import csv
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_runs import drawn_run, with_columns

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation


@pytest.fixture
def full_run() -> Evaluation:
    run = drawn_run(seeds=(3, 4))
    rows = len(run.clip_ids)
    rng = np.random.default_rng(1)
    alone = run.probabilities.copy()
    alone[5] = np.nan
    votes = TargetPredictions(
        "regression", ("happy", "sad"), rng.random((rows, 2)), rng.normal(size=(rows, 2))
    )
    run = with_columns(run, sex=(None, *run.sexes[1:]))
    return run.with_predictions(
        run.probabilities,
        by_modality={"audio": alone},
        flags=(("no face", "short, very"), *[()] * (rows - 1)),
        targets={"votes": votes},
        leaks=("The validation fold is the test fold.",),
        training_s=12.5,
        parameters=7,
        facts={"command": "aver evaluate", "settings": {"a": [1, 2]}},
    )


def test_loads_back_exactly(full_run: Evaluation, tmp_path: Path) -> None:
    save_evaluation(full_run, tmp_path / "run")
    loaded = load_evaluation(tmp_path / "run")
    pd.testing.assert_frame_equal(
        loaded.predictions, full_run.predictions, check_exact=True, check_dtype=False
    )
    for field in fields(Evaluation):
        if field.name != "predictions":
            assert getattr(full_run, field.name) == getattr(loaded, field.name), field.name
    assert loaded.flags == full_run.flags
    assert loaded.sexes == full_run.sexes


def test_the_table_alone_gives_the_figures_again(full_run: Evaluation, tmp_path: Path) -> None:
    save_evaluation(full_run, tmp_path)
    with (tmp_path / "predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    figures = json.loads((tmp_path / "evaluation.json").read_text())["figures"]
    share = np.mean([row["truth"] == row["prediction"] for row in rows])
    assert figures["metrics"]["accuracy"]["value"] == pytest.approx(share)
    interval = figures["metrics"]["accuracy"]
    assert interval["low"] < interval["value"] < interval["high"]
    assert "concordance of happy" in figures["targets"]["votes"]


def test_refuses_damaged_and_foreign_files(full_run: Evaluation, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no evaluation"):
        load_evaluation(tmp_path)
    save_evaluation(full_run, tmp_path)
    described = json.loads((tmp_path / "evaluation.json").read_text())
    (tmp_path / "evaluation.json").write_text(json.dumps({**described, "format": "other 9"}))
    with pytest.raises(SettingsError, match="'other 9'"):
        load_evaluation(tmp_path)
    (tmp_path / "evaluation.json").write_text("{")
    with pytest.raises(SettingsError, match="is not JSON"):
        load_evaluation(tmp_path)
    (tmp_path / "evaluation.json").write_text(json.dumps(described))
    whole = (tmp_path / "predictions.csv").read_bytes()
    for broken, words in (
        (whole[: whole.rindex(b",s") + 9], "do not belong together"),
        (b"\xff\xfe" + whole, "is not a table"),
        (whole.splitlines()[0], "has no tested clip"),
    ):
        (tmp_path / "predictions.csv").write_bytes(broken)
        with pytest.raises(SettingsError, match=words):
            load_evaluation(tmp_path)
    table = whole.decode().replace("p happy", "p other")
    (tmp_path / "predictions.csv").write_text(table)
    with pytest.raises(SettingsError, match="no column 'p happy'"):
        load_evaluation(tmp_path)


def test_a_flag_with_a_semicolon_is_refused(full_run: Evaluation) -> None:
    with pytest.raises(SettingsError, match="semicolon"):
        full_run.with_predictions(full_run.probabilities, flags=[["a; b"]] * len(full_run.clip_ids))
