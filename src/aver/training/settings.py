"""`TrainingSettings`: how long, how fast and on which device to train."""

from __future__ import annotations

from typing import Annotated, Literal

from aver.settings import Field, settings


@settings
class TrainingSettings:
    """Settings of `aver.training.fit.fit`; the defaults are those of the MRPN paper.

    Parameters
    ----------
    epochs : int >= 1
        Largest number of passes over the training clips.
    patience : int >= 1
        Stop after this many epochs without a lower validation loss.
    batch_size : int >= 2
        Clips per step; the batches of an epoch are as equal in size as possible.
    optimizer : {"adamw", "sgd"}
        Source: Chang & Skarbek 2021, section 4.2, for AdamW; Birhala et al. 2020, section IV, for
        SGD.
    learning_rate : float > 0
    weight_decay : float >= 0
    momentum : float in [0, 1)
        Used by SGD only.
    schedule : {"reduce-on-plateau", "cosine", "step"}
        ``"reduce-on-plateau"`` (as in the MRPN paper) halves the rate if the validation loss has
        not dropped; ``"cosine"`` warms up over a tenth of the steps and then follows half a cosine
        down to zero at the last of `epochs`; ``"step"`` divides the rate by ten every
        `divide_every_epochs`.
    lr_patience : int >= 1
        Epochs without a drop before the rate is halved.
    divide_every_epochs : int >= 1
        Epochs from one division by ten to the next.
    gradient_clip : float >= 0
        Largest norm of the gradient; 0 means no limit.
    ema_decay : float in [0, 1)
        Validate and keep an exponential moving average of the weights with at most this decay per
        step; 0 keeps the weights themselves.
    keep : {"best", "last"}
        Keep the weights of the epoch with the lowest validation loss, or those of the last epoch.
        With ``"last"`` nothing depends on the validation clips, and training does not stop early.
    device : {"auto", "cpu", "cuda"}
        ``"auto"`` uses a GPU if there is one.
    precision : {"32", "bf16", "fp16"}
        Mixed precision on a GPU; a CPU always computes in full precision.
    threads : int >= 1
        Threads of torch on a CPU. The rounding of sums depends on their number; as a setting it
        keeps the result independent of the number of cores.
    loggers : tuple of {"tensorboard", "mlflow", "wandb"}
        Where the figures of each epoch go besides ``training.jsonl``; see
        `aver.training.loggers.open_loggers`. They decide nothing, so that they may change when a
        run is resumed.

    Raises
    ------
    SettingsError
        If a value is out of range; the message names it.
    """

    epochs: Annotated[int, Field(ge=1)] = 100
    patience: Annotated[int, Field(ge=1)] = 30
    batch_size: Annotated[int, Field(ge=2)] = 16
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 5e-5
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    schedule: Literal["reduce-on-plateau", "cosine", "step"] = "reduce-on-plateau"
    lr_patience: Annotated[int, Field(ge=1)] = 10
    divide_every_epochs: Annotated[int, Field(ge=1)] = 50
    gradient_clip: Annotated[float, Field(ge=0)] = 0.0
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    keep: Literal["best", "last"] = "best"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["32", "bf16", "fp16"] = "32"
    threads: Annotated[int, Field(ge=1)] = 1
    loggers: tuple[Literal["tensorboard", "mlflow", "wandb"], ...] = ("tensorboard",)
