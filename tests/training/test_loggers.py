"""Learning curves in MLflow's and W&B's own stores on this disk equal those of the log file."""

from __future__ import annotations

import importlib.util
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from line_task import LineTask

from aver.errors import SettingsError
from aver.training.fit import fit
from aver.training.loggers import open_loggers
from aver.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=3, loggers=("mlflow",))
pytestmark = pytest.mark.extras


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("mlflow", reason="needs aver[mlflow]")
    folder = tmp_path / "mlruns"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return folder


@pytest.mark.usefixtures("store")
def test_mlflow_has_the_curves_and_the_settings(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    folder = tmp_path / "a run" / "fold-00"
    history = fit(LineTask(), SETTINGS, seed=4, run_folder=folder)
    client = MlflowClient()
    experiment = client.get_experiment_by_name("aver")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name.endswith("a run/fold-00")
    assert run.info.status == "FINISHED"
    assert (run.data.params["seed"], run.data.params["epochs"]) == ("4", "3")
    found = client.get_metric_history(run.info.run_id, "validation_loss")
    assert [(m.step, m.value) for m in found] == [
        (row["epoch"], row["validation_loss"]) for row in history.epochs
    ]


@pytest.mark.usefixtures("store")
def test_a_resumed_training_continues_its_run(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    folder = tmp_path / "fold"
    for losses in ((3.0, 2.0), (1.0,)):
        with open_loggers(["mlflow"], folder, {"epochs": 3}) as write:
            for loss in losses:
                write({"epoch": 4 - int(loss), "validation_loss": loss})
    client = MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("aver").experiment_id])
    found = client.get_metric_history(run.info.run_id, "validation_loss")
    assert [(metric.step, metric.value) for metric in found] == [(1, 3.0), (2, 2.0), (3, 1.0)]


def test_wandb_has_the_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, in the files that ``wandb sync`` uploads."""
    pytest.importorskip("wandb", reason="needs aver[wandb]")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    fit(LineTask(), replace(SETTINGS, loggers=("wandb",)), run_folder=tmp_path)
    (written,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    until_s = time.monotonic() + 60  # a process of its own writes the file
    while b"validation_loss" not in written.read_bytes() and time.monotonic() < until_s:
        time.sleep(0.2)
    assert b"validation_loss" in written.read_bytes()
    assert json.loads((tmp_path / "loggers.json").read_text())["wandb"] in written.name


@pytest.mark.usefixtures("store")
def test_a_logger_that_fails_does_not_stop_the_training(tmp_path: Path) -> None:
    with open_loggers(["mlflow"], tmp_path, {}) as write:
        with pytest.warns(UserWarning, match="mlflow failed in epoch 1 and gets no further fig"):
            write({"epoch": 1, "a name: with $ signs": 1.0})
        write({"epoch": 2, "loss": 1.0})


@pytest.mark.usefixtures("store")
def test_a_server_that_is_gone_does_not_stop_the_training(tmp_path: Path) -> None:
    (tmp_path / "loggers.json").write_text(json.dumps({"mlflow": "0" * 32}))
    with pytest.warns(UserWarning, match="mlflow failed") as said:
        assert len(fit(LineTask(), SETTINGS, run_folder=tmp_path).epochs) == SETTINGS.epochs
    assert [str(w.message).split(" and ")[0] for w in said if "mlflow" in str(w.message)] == [
        "mlflow failed in epoch 1",
        "mlflow failed when it was closed",
    ]


def test_a_logger_that_is_not_installed_or_cannot_start_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("mlflow"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")
        with pytest.raises(SettingsError, match="The logger 'mlflow' cannot start: "):
            fit(LineTask(), SETTINGS, run_folder=tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"Install it with: pip install 'aver\[mlflow\]'"):
        fit(LineTask(), SETTINGS, run_folder=tmp_path)
    assert fit(LineTask(), SETTINGS).epochs  # without a folder nothing is written
