"""`usable_clips`: what can be learnt from, and word of the rest before anything is learnt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml
from torch import Tensor, nn

from aver.corpora.clip import Clip
from aver.errors import CheckpointError, SettingsError
from aver.execution.files import write_json
from aver.features.feature import Feature
from aver.features.store import Failure, FeatureStore, Preparation
from aver.networks.resnet import ResNet18
from aver.settings import settings_from_mapping
from aver.training.history import drop_resume_states

STARTED_NAME = "started.json"


@dataclass(frozen=True)
class RunRecord:
    """Keeps two pretrainings out of one folder, and the test part from being scored twice.

    Parameters
    ----------
    folder : Path
        Run folder.
    asked : mapping of str to JSON value
        Everything that decides the result: settings, seed, split, data.
    done : Path
        The file that a finished run leaves last, for instance the card.
    """

    folder: Path
    asked: Mapping[str, Any]
    done: Path

    def start(self) -> bool:
        """Make the folder this run's.

        A state to resume from that nobody knows the settings of is deleted.

        Returns
        -------
        bool
            Whether an earlier call finished the run: its results lie there.

        Raises
        ------
        CheckpointError
            If the folder holds a run with other settings or data, finished or not.
        """
        place = self.folder / STARTED_NAME
        asked = json.loads(json.dumps(self.asked))
        if place.exists():
            known = json.loads(place.read_text(encoding="utf-8"))
            differing = sorted(k for k in {*known, *asked} if known.get(k) != asked.get(k))
            if differing:
                raise CheckpointError(
                    f"{self.folder} holds a pretraining with other {', '.join(differing)}. "
                    "Choose another folder with --out, or remove this one."
                )
            return self.done.exists()
        if self.done.exists():
            raise CheckpointError(
                f"{self.folder} holds a pretraining that does not say what it was asked for. "
                "Choose another folder with --out, or remove this one."
            )
        drop_resume_states(self.folder)
        write_json(place, asked)
        return False

    def finish(self) -> None:
        """Delete the state to resume from: nothing is left to be learnt."""
        drop_resume_states(self.folder)


def digest(value: Any) -> str:
    """Sixteen hexadecimal digits that name a JSON value.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


S = TypeVar("S")


def read_settings(
    kind: type[S], what: str, preset: str, changes: Mapping[str, Any] | None = None
) -> S:
    """Read a preset.

    Parameters
    ----------
    kind : type
        Frozen dataclass of the settings.
    what : {"visual", "voice"}
    preset : str
        Such as ``"compact"``, or the path of a YAML file with the key ``settings``.
    changes : mapping, optional
        By dotted key: ``{"training.epochs": 5}``.

    Raises
    ------
    SettingsError
        If there is no such preset, or a setting is unknown or out of range.

    Examples
    --------
    >>> from aver.pretraining.visual import VisualSettings
    >>> read_settings(VisualSettings, "visual", "compact", {"training.epochs": 5}).training.epochs
    5
    """
    folder = resources.files("aver.pretraining") / "presets"
    place = folder / f"{what}-{preset}.yaml"
    own = Path(preset)
    if own.suffix == ".yaml":
        if not own.is_file():
            raise SettingsError(f"There is no file {own} to take the settings from.")
        text = own.read_text(encoding="utf-8")
    elif place.is_file():
        text = place.read_text(encoding="utf-8")
    else:
        known = sorted(
            entry.name.removeprefix(f"{what}-").removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.startswith(f"{what}-")
        )
        raise SettingsError(
            f"There is no preset {preset!r} for 'aver pretrain {what}'. Known are: "
            f"{', '.join(known)}; or give a YAML file."
        )
    try:
        settings = dict(yaml.safe_load(text)["settings"])
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise SettingsError(
            f"The preset {preset!r} is no YAML file with the key 'settings'."
        ) from None
    for key, value in (changes or {}).items():
        inner = settings
        *path, last = key.split(".")
        for part in path:
            held = inner.get(part)
            inner[part] = dict(held) if isinstance(held, Mapping) else {}
            inner = inner[part]
        inner[last] = value
    return settings_from_mapping(kind, settings)


class Classifier(nn.Module):
    """A ResNet and its classifier ``fc``, under torchvision's names.

    Parameters
    ----------
    extractor : ResNet18
    classes : int >= 2
    dropout : float in [0, 1)
        Before the dense layer.
    """

    def __init__(self, extractor: ResNet18, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.extractor = extractor
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(extractor.size, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Scores of ``(images, channels, height, width)``, as ``(images, classes)``."""
        return self.fc(self.dropout(self.extractor(x)))

    def torchvision_weights(self) -> dict[str, Tensor]:
        """All weights by the names that torchvision's ResNet gives them."""
        weights = {name: value.detach() for name, value in self.extractor.state_dict().items()}
        return weights | {f"fc.{n}": v.detach() for n, v in self.fc.state_dict().items()}


Notice = Callable[[Sequence[Failure]], None]
"""Told of clips that cannot be used, before a training that may take hours; may raise."""


def usable_clips(
    store: FeatureStore,
    clips: Sequence[Clip],
    features: Sequence[Feature],
    *,
    workers: int = 1,
    notice: Notice | None = None,
) -> Preparation:
    """Compute features and tell of clips whose files cannot be read.

    Parameters
    ----------
    store : FeatureStore
    clips : sequence of Clip
    features : sequence of Feature
    workers : int >= 1
    notice : callable, optional
        Called with the failures, where there are any. What it raises ends the pretraining.
    """
    prepared = store.prepare(clips, features, workers=workers)
    if notice is not None and prepared.failures:
        notice(prepared.failures)
    return prepared
