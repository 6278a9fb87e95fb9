"""`open_loggers`: where learning curves go besides the log file: TensorBoard, MLflow, W&B.

None of them decides a result: a training with other loggers is the same training.
"""

from __future__ import annotations

import importlib.util
import json
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from aver.errors import SettingsError
from aver.execution.files import write_json

LOGGERS = ("tensorboard", "mlflow", "wandb")

_IDS_NAME = "loggers.json"
"""Remembers the runs of this training, so that a resumed one continues them."""
_PROJECT = "aver"
_PACKAGES = {"mlflow": "MLflow", "wandb": "Weights & Biases"}

Write = Callable[[Mapping[str, Any]], None]


@contextmanager
def open_loggers(
    names: Sequence[str], run_folder: Path | None, facts: Mapping[str, Any]
) -> Iterator[Write]:
    """A function that writes the figures of one epoch to all loggers.

    Parameters
    ----------
    names : sequence of {"tensorboard", "mlflow", "wandb"}
        TensorBoard is passed over if it is not installed.
    run_folder : Path or None
        TensorBoard and Weights & Biases write below it. Where MLflow and Weights & Biases send the
        figures is their own configuration (``MLFLOW_TRACKING_URI``, ``WANDB_MODE``). Nothing is
        written without a folder.
    facts : mapping of str to value
        Settings of the training, for the record.

    Raises
    ------
    SettingsError
        If MLflow or Weights & Biases is named and not installed, or refuses to start.
    """
    with ExitStack() as stack:
        writers = {} if run_folder is None else _opened(names, run_folder, facts, stack)

        def write(row: Mapping[str, Any]) -> None:
            for name, one in list(writers.items()):
                done = False
                with _warning_if_it_fails(name, f"in epoch {row['epoch']}"):
                    one(row)
                    done = True
                if not done:
                    del writers[name]

        yield write


@contextmanager
def _warning_if_it_fails(logger: str, when: str) -> Iterator[None]:
    """A server that is down does not stop a training."""
    try:
        yield
    except Exception as error:
        warnings.warn(
            f"{logger} failed {when} and gets no further figures of this training: {error}",
            stacklevel=4,
        )


def _opened(
    names: Sequence[str], run_folder: Path, facts: Mapping[str, Any], stack: ExitStack
) -> dict[str, Write]:
    writers: dict[str, Write] = {}
    openers = {"tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb}
    for name in dict.fromkeys(names):
        if importlib.util.find_spec(name) is None:
            if name == "tensorboard":
                continue
            raise SettingsError(
                f"The logger {name!r} needs {_PACKAGES[name]}. Install it with: "
                f"pip install 'aver[{name}]'."
            )
        try:
            writers[name] = stack.enter_context(openers[name](run_folder, facts))
        except Exception as error:  # whatever a foreign library raises
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise SettingsError(
                f"The logger {name!r} cannot start: {reason}. Check its configuration, or leave it "
                "out of training.loggers."
            ) from None
    return writers


@contextmanager
def _tensorboard(run_folder: Path, facts: Mapping[str, Any]) -> Iterator[Write]:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(run_folder / "tensorboard") as curves:

        def write(row: Mapping[str, Any]) -> None:
            for name, value in row.items():
                curves.add_scalar(name, value, row["epoch"])

        yield write


@contextmanager
def _mlflow(run_folder: Path, facts: Mapping[str, Any]) -> Iterator[Write]:
    """With a client of its own: the active run of the user's program is left alone."""
    from mlflow import MlflowClient

    client = MlflowClient()

    def made() -> str:
        experiment = client.get_experiment_by_name(_PROJECT)
        place = experiment.experiment_id if experiment else client.create_experiment(_PROJECT)
        run = client.create_run(place, run_name=_title(run_folder))
        for name, value in facts.items():
            client.log_param(run.info.run_id, name, value)
        return str(run.info.run_id)

    run_id = _remembered(run_folder, "mlflow", made)

    def write(row: Mapping[str, Any]) -> None:
        for name, value in row.items():
            client.log_metric(run_id, name, value, step=row["epoch"])

    status = "KILLED"
    try:
        yield write
        status = "FINISHED"
    finally:
        with _warning_if_it_fails("mlflow", "when it was closed"):
            client.set_terminated(run_id, status)


@contextmanager
def _wandb(run_folder: Path, facts: Mapping[str, Any]) -> Iterator[Write]:
    import wandb

    run = wandb.init(
        project=_PROJECT,
        name=_title(run_folder),
        dir=run_folder,
        config=dict(facts),
        id=_remembered(run_folder, "wandb", lambda: uuid.uuid4().hex[:16]),
        resume="allow",
        reinit="create_new",
    )
    exit_code = 1
    try:
        yield lambda row: run.log(dict(row), step=row["epoch"])
        exit_code = 0
    finally:
        with _warning_if_it_fails("wandb", "when it was closed"):
            run.finish(exit_code)


def _title(run_folder: Path) -> str:
    """Name of the training: the ends of its folder, without the folders of this machine."""
    return "/".join(run_folder.resolve().parts[-4:][1:])


def _remembered(run_folder: Path, logger: str, make: Callable[[], str]) -> str:
    """The id of the logger's run for this training; a new one if there is none yet."""
    path = run_folder / _IDS_NAME
    try:
        ids = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        ids = {}
    if logger not in ids:
        ids[logger] = make()
        write_json(path, ids)
    return str(ids[logger])
