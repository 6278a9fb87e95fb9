"""`TrainingSettings`: how long, how fast and on what to train."""

from __future__ import annotations

from dataclasses import dataclass

from aver.errors import SettingsError

SCHEDULES = ("reduce-on-plateau", "cosine", "step")
OPTIMIZERS = ("adamw", "sgd")
PRECISIONS = ("32", "bf16", "fp16")
DEVICES = ("auto", "cpu", "cuda")
KEPT = ("best", "last")


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of `aver.training.fit.fit`; the defaults are those of the MRPN paper.

    Parameters
    ----------
    epochs : int >= 1
        At most so many passes over the training clips.
    patience : int >= 1
        Stop after so many epochs without a lower validation loss.
    batch_size : int >= 2
        Clips per step; batches are cut as evenly as the number of clips allows.
    optimizer : {"adamw", "sgd"}
        Source: Chang & Skarbek 2021, section 4.2, for AdamW; Birhala et al. 2020, section IV, for
        SGD.
    learning_rate : float > 0
    weight_decay : float >= 0
    momentum : float in [0, 1)
        Of SGD.
    schedule : {"reduce-on-plateau", "cosine", "step"}
        The halving of the MRPN paper when the validation loss has not dropped, or a warm-up over a
        tenth of the steps followed by a cosine down to zero at `epochs`, or a division by ten every
        so many epochs.
    lr_patience : int >= 1
        Epochs without a drop before the rate is halved.
    divide_every_epochs : int >= 1
        Epochs from one division by ten to the next.
    gradient_clip : float >= 0
        Largest norm of the gradient; 0 leaves it alone.
    ema_decay : float in [0, 1)
        Validate and keep a running average of the weights with this decay per step (at most);
        0 keeps the weights themselves.
    keep : {"best", "last"}
        The weights of the epoch with the lowest validation loss, or those of the last epoch; with
        ``"last"`` nothing is decided on the validation clips, and training does not stop early.
    device : {"auto", "cpu", "cuda"}
        ``"auto"`` takes a GPU where there is one.
    precision : {"32", "bf16", "fp16"}
        Mixed precision on a GPU; a CPU always computes in full precision.
    threads : int >= 1
        Threads of torch on a CPU. Sums over threads are rounded differently, so the number is part
        of the settings, and the result does not depend on what the machine offers.

    Raises
    ------
    SettingsError
        If a value is out of range; the message names it.
    """

    epochs: int = 100
    patience: int = 30
    batch_size: int = 16
    optimizer: str = "adamw"
    learning_rate: float = 5e-5
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: str = "reduce-on-plateau"
    lr_patience: int = 10
    divide_every_epochs: int = 50
    gradient_clip: float = 0.0
    ema_decay: float = 0.0
    keep: str = "best"
    device: str = "auto"
    precision: str = "32"
    threads: int = 1

    def __post_init__(self) -> None:
        for name, least in (
            ("epochs", 1), ("patience", 1), ("batch_size", 2), ("lr_patience", 1),
            ("divide_every_epochs", 1), ("threads", 1), ("weight_decay", 0), ("momentum", 0),
            ("gradient_clip", 0), ("ema_decay", 0),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise SettingsError(
                    f"The training setting {name} must be at least {least}, "
                    f"not {getattr(self, name)}."
                )
        if self.learning_rate <= 0:
            raise SettingsError(f"learning_rate must be above 0, not {self.learning_rate}.")
        for name in ("ema_decay", "momentum"):
            if getattr(self, name) >= 1:
                raise SettingsError(f"{name} must be below 1, not {getattr(self, name)}.")
        for name, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
            ("device", DEVICES),
            ("keep", KEPT),
        ):
            if getattr(self, name) not in known:
                raise SettingsError(
                    f"The training setting {name} must be one of {', '.join(known)}, "
                    f"not {getattr(self, name)!r}."
                )
