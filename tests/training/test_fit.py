"""Training: early stopping, the best epoch, resumption to the same bits, interruption."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from line_task import LineTask

from aver.errors import CheckpointError, SettingsError, TrainingInterrupted
from aver.training.fit import fit
from aver.training.optimization import make_optimizer
from aver.training.settings import TrainingSettings
from aver.training.task import ParameterGroup

VERSION_0_1 = Path(__file__).parents[1] / "fixtures" / "version_0_1"
SETTINGS = TrainingSettings(epochs=8, patience=8, learning_rate=0.02, ema_decay=0.5)


def weights(task):
    return torch.cat([w.double().flatten() for w in task.network.state_dict().values()])


def test_training_lowers_the_loss_and_keeps_the_best_epoch():
    task = LineTask()
    history = fit(task, TrainingSettings(epochs=60, patience=60, learning_rate=0.05), seed=1)
    losses = [row["validation_loss"] for row in history.epochs]
    assert min(losses) < 0.3 * losses[0]
    assert history.best_epoch == 1 + losses.index(min(losses))
    with torch.no_grad():
        kept = float(task.loss(next(task.validation_batches())).value)
    assert kept == pytest.approx(min(losses), rel=1e-6)
    assert not task.network.training


def test_early_stopping_depends_on_validation_only():
    # Training makes the validation loss worse, so the first epochs stay the best ones.
    task = LineTask(validation_sign=-1.0)
    history = fit(task, TrainingSettings(epochs=50, patience=4, learning_rate=0.05), seed=0)
    assert history.stopped_early
    assert len(history.epochs) == history.best_epoch + 4
    assert history.epochs[-1]["training_loss"] < history.epochs[0]["training_loss"]


def test_keep_last_keeps_the_last_epoch_and_never_stops_early():
    # The validation loss rises from the start; it neither stops the training nor selects an epoch.
    settings = TrainingSettings(epochs=9, patience=2, learning_rate=0.05, keep="last")
    task = LineTask(validation_sign=-1.0)
    history = fit(task, settings, seed=0)
    assert not history.stopped_early
    assert len(history.epochs) == history.best_epoch == 9
    with torch.no_grad():
        kept = float(task.loss(next(task.validation_batches())).value)
    assert kept == pytest.approx(history.epochs[-1]["validation_loss"], rel=1e-6)


def test_the_rate_is_halved_after_epochs_without_a_drop():
    settings = TrainingSettings(epochs=12, patience=50, learning_rate=0.05, lr_patience=3)
    history = fit(LineTask(validation_sign=-1.0), settings, seed=0)
    rates = [row["learning_rate"] for row in history.epochs]
    best, waited, rate = math.inf, 0, 0.05
    for row, logged in zip(history.epochs, rates, strict=True):
        # The rate of an epoch follows from the losses of the epochs before it.
        assert logged == pytest.approx(rate)
        waited = 0 if row["validation_loss"] < best else waited + 1
        best = min(best, row["validation_loss"])
        if waited > 3:
            rate, waited = rate / 2, 0
    assert rates[-1] < rates[0]


def test_the_cosine_schedule_ends_at_zero():
    settings = TrainingSettings(epochs=10, patience=50, learning_rate=0.02, schedule="cosine")
    rates = [row["learning_rate"] for row in fit(LineTask(), settings).epochs]
    assert max(rates) > 0.9 * 0.02
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


def test_the_step_schedule_divides_the_rate_by_ten():
    settings = TrainingSettings(
        epochs=7, patience=50, learning_rate=0.02, schedule="step", divide_every_epochs=3
    )
    rates = [row["learning_rate"] for row in fit(LineTask(), settings).epochs]
    # The log holds the rate at the end of each epoch; epochs 3 and 6 have just divided it.
    assert rates == pytest.approx([0.02] * 2 + [0.002] * 3 + [0.0002] * 2)


def test_sgd_uses_momentum():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    settings = TrainingSettings(optimizer="sgd", learning_rate=0.1, momentum=0.5, weight_decay=0.0)
    optimizer = make_optimizer([ParameterGroup((weight,))], settings)
    for gradient in (1.0, 2.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
    # v1 = 1, v2 = 0.5 * 1 + 2; w = 1 - 0.1 (v1 + v2)
    assert float(weight.detach()) == pytest.approx(1 - 0.1 * (1.0 + 2.5))


@pytest.mark.parametrize("schedule", ["reduce-on-plateau", "cosine", "step"])
def test_a_training_resumed_after_ctrl_c_ends_with_the_same_bits(tmp_path, schedule):
    settings = TrainingSettings(
        epochs=6, patience=6, learning_rate=0.02, ema_decay=0.5, schedule=schedule
    )
    whole = LineTask()
    expected = fit(whole, settings, seed=3)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match="same run folder"):
        fit(LineTask(break_at="ctrl-c", break_epoch=4), settings, seed=3, run_folder=tmp_path)
    assert signal.getsignal(signal.SIGINT) is handler
    assert len((tmp_path / "training.jsonl").read_text().splitlines()) == 3
    resumed = LineTask()
    history = fit(resumed, settings, seed=3, run_folder=tmp_path)
    assert resumed.epochs_drawn == 3  # only the epochs that were left
    assert torch.equal(weights(resumed), weights(whole))
    assert history == expected


WAITING = TrainingSettings(epochs=30, patience=6, learning_rate=0.05, lr_patience=2, ema_decay=0.5)


def test_resuming_in_any_epoch_keeps_the_schedule_and_the_patience(tmp_path):
    # This training has two halvings and an early stop; it is interrupted once within every epoch.
    whole = LineTask(validation_sign=-1.0)
    expected = fit(whole, WAITING, seed=0)
    assert expected.stopped_early
    assert len({row["learning_rate"] for row in expected.epochs}) >= 2
    for epoch in range(1, len(expected.epochs) + 1):
        folder = tmp_path / str(epoch)
        broken = LineTask(validation_sign=-1.0, break_at="ctrl-c", break_epoch=epoch)
        with pytest.raises(TrainingInterrupted, match=f"in epoch {epoch}"):
            fit(broken, WAITING, seed=0, run_folder=folder)
        resumed = LineTask(validation_sign=-1.0)
        assert fit(resumed, WAITING, seed=0, run_folder=folder) == expected, epoch
        assert torch.equal(weights(resumed), weights(whole)), epoch
    # A training that stopped early is not continued.
    again = LineTask(validation_sign=-1.0)
    assert fit(again, WAITING, seed=0, run_folder=folder) == expected
    assert again.epochs_drawn == 0


class SignalWhenDeleted:
    """Sends a signal while it is deleted, when Python drops the exceptions of handlers."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_is_not_lost_while_an_object_is_deleted(tmp_path):
    class Deleting(LineTask):
        def loss(self, batch):
            if self.epochs_drawn == 2:
                SignalWhenDeleted()
                self.epochs_drawn += 1
            return super().loss(batch)

    with pytest.raises(TrainingInterrupted, match="in epoch 2"):
        fit(Deleting(), SETTINGS, run_folder=tmp_path)


def test_a_second_ctrl_c_does_not_wait_for_the_batch(tmp_path):
    class Endless(LineTask):
        def loss(self, batch):
            os.kill(os.getpid(), signal.SIGINT)
            while True:
                os.kill(os.getpid(), signal.SIGINT)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match="in epoch 1"):
        fit(Endless(), SETTINGS, run_folder=tmp_path)
    assert signal.getsignal(signal.SIGINT) is handler


def test_sigterm_keeps_the_state(tmp_path):
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TrainingInterrupted, match="in epoch 3"):
        fit(LineTask(break_at="term", break_epoch=3), SETTINGS, run_folder=tmp_path)
    assert signal.getsignal(signal.SIGTERM) is handler
    assert len((tmp_path / "training.jsonl").read_text().splitlines()) == 2


def test_a_first_epoch_without_a_finite_loss_is_an_error(tmp_path):
    settings = TrainingSettings(epochs=5, learning_rate=1e30)
    with pytest.raises(SettingsError, match=r"smaller training\.learning_rate"):
        fit(LineTask(), settings, run_folder=tmp_path)
    assert not (tmp_path / "resume.ckpt").exists()


def test_a_later_loss_that_is_not_finite_ends_with_the_best_epoch():
    class Breaking(LineTask):
        def loss(self, batch):
            loss = super().loss(batch)
            if self.epochs_drawn < 4 or self.network.training:
                return loss
            return replace(loss, value=loss.value * math.nan)

    task = Breaking()
    history = fit(task, SETTINGS, seed=1)
    assert len(history.epochs) == 4
    assert history.best_epoch <= 3
    assert history.stopped_early
    assert bool(torch.isfinite(weights(task)).all())


def kill_and_resume(folder, epoch):
    """Train in another process that is killed within the epoch, then resume here."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from test_fit import SETTINGS, LineTask, fit\n"
        "task = LineTask(break_at='kill', break_epoch=int(sys.argv[3]))\n"
        "fit(task, SETTINGS, seed=2, run_folder=Path(sys.argv[2]))\n"
    )
    arguments = [str(Path(__file__).parent), str(folder), str(epoch)]
    run = subprocess.run([sys.executable, "-c", code, *arguments], check=False)
    assert run.returncode == -signal.SIGKILL
    resumed = LineTask()
    history = fit(resumed, SETTINGS, seed=2, run_folder=folder)
    assert resumed.epochs_drawn == SETTINGS.epochs - epoch + 1
    return resumed, history


def test_a_killed_training_resumes_to_the_same_bits(tmp_path):
    whole = LineTask()
    expected = fit(whole, SETTINGS, seed=2)
    for epoch in (1, 5):
        folder = tmp_path / str(epoch)
        resumed, history = kill_and_resume(folder, epoch)
        assert torch.equal(weights(resumed), weights(whole))
        assert history == expected
        rows = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
        assert rows == list(expected.epochs)
        assert list((folder / "tensorboard").glob("events.*"))
    # A finished training that is called again has nothing left to do and returns the same.
    again = LineTask()
    assert fit(again, SETTINGS, seed=2, run_folder=folder) == expected
    assert again.epochs_drawn == 0
    assert torch.equal(weights(again), weights(whole))


def test_a_resume_state_of_version_0_1_is_resumed(tmp_path):
    # Written by version 0.1 on Lightning, interrupted in epoch 4 of this training.
    settings = TrainingSettings(
        epochs=30, patience=9, learning_rate=0.05, lr_patience=2, ema_decay=0.5
    )
    whole, resumed = LineTask(validation_sign=-1.0), LineTask(validation_sign=-1.0)
    expected = fit(whole, settings, seed=0)
    shutil.copy(VERSION_0_1 / "resume.ckpt", tmp_path)
    assert fit(resumed, settings, seed=0, run_folder=tmp_path) == expected
    assert resumed.epochs_drawn == len(expected.epochs) - 3
    assert torch.equal(weights(resumed), weights(whole))


def test_without_tensorboard_only_the_log_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    fit(LineTask(), TrainingSettings(epochs=1), run_folder=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["resume.ckpt", "training.jsonl"]


def test_the_result_does_not_depend_on_the_threads_of_the_caller():
    results = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        task = LineTask()
        fit(task, SETTINGS, seed=5)
        assert torch.get_num_threads() == threads
        results.append(weights(task))
    torch.set_num_threads(before)
    assert torch.equal(*results)


def test_seeds_matter_and_the_generator_of_the_caller_is_unchanged():
    torch.manual_seed(11)
    one, other = LineTask(), LineTask()
    fit(one, SETTINGS, seed=0)
    fit(other, SETTINGS, seed=1)
    drawn = torch.rand(3)
    torch.manual_seed(11)
    assert torch.equal(torch.rand(3), drawn)
    assert not torch.equal(weights(one), weights(other))


def test_the_resume_state_of_another_network_is_refused(tmp_path):
    fit(LineTask(), SETTINGS, run_folder=tmp_path)
    task = LineTask()
    task.network = torch.nn.Linear(6, 1)
    with pytest.raises(CheckpointError, match="another network"):
        fit(task, TrainingSettings(epochs=20), run_folder=tmp_path)


def test_an_unreadable_resume_state_is_refused(tmp_path):
    (tmp_path / "resume.ckpt").write_bytes(b"no state")
    with pytest.raises(CheckpointError, match=r"resume\.ckpt cannot be read"):
        fit(LineTask(), SETTINGS, run_folder=tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_an_error():
    with pytest.raises(SettingsError, match="torch finds no GPU"):
        fit(LineTask(), TrainingSettings(device="cuda"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_mixed_precision_on_a_gpu():
    history = fit(LineTask(), TrainingSettings(epochs=3, device="cuda", precision="bf16"))
    assert all(math.isfinite(row["validation_loss"]) for row in history.epochs)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"batch_size": 1}, {"learning_rate": 0.0}, {"schedule": "steps"},
        {"optimizer": "adam"}, {"momentum": 1.0}, {"divide_every_epochs": 0},
        {"precision": "8"}, {"device": "tpu"}, {"ema_decay": 1.0}, {"threads": 0},
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_named(wrong):
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        TrainingSettings(**wrong)
