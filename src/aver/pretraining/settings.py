"""Settings of pretraining and their presets, the YAML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml

from aver.compatibility import upgrade
from aver.errors import SettingsError
from aver.execution.documents import parse_yaml, read_document
from aver.models.layers.augmentation import ImageAugmentationSettings
from aver.settings import Field, apply_changes, settings, settings_from_mapping
from aver.training.settings import TrainingSettings

Fraction = Annotated[float, Field(ge=0, lt=1)]


@settings
class VideoSettings:
    """Settings of `aver.pretraining.video.pretrain_video`.

    Parameters
    ----------
    width, blocks, stem
        Of the `aver.networks.resnet.ResNet18`.
    size_px : int >= 16
        Side of the images.
    surround : float in [0, 0.5]
        Share of the face's side that images are read with on each side, so that random zooms and
        shifts show what surrounds the face.
    resolution : float in (0, 1]
        In half of the training batches images are reduced to between this share of their size and
        their full size and enlarged again: faces in videos are often small. 1 switches it off.
    votes : bool
        Train on the shares of raters' votes, for images that have them.
    teacher : str
        Name or run folder of trained weights, whose probabilities are mixed into the targets
        (distillation). Empty for none.
    teacher_share : float in [0, 1]
        Weight of the teacher's probabilities in the targets.
    dropout : float in [0, 1)
        Before the classifier.
    label_smoothing : float in [0, 1)
    bfloat16 : bool
        Multiply in bfloat16, on a CPU too; faster if the CPU has instructions for it.
    augmentation : ImageAugmentationSettings
        Drawn for each image.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    width: Annotated[int, Field(ge=1)] = 64
    blocks: Literal[1, 2] = 2
    stem: Literal["7x7", "3x3"] = "3x3"
    size_px: Annotated[int, Field(ge=16)] = 48
    surround: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    resolution: Annotated[float, Field(gt=0, le=1)] = 1.0
    votes: bool = True
    teacher: str = ""
    teacher_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    dropout: Fraction = 0.0
    label_smoothing: Fraction = 0.1
    bfloat16: bool = False
    augmentation: ImageAugmentationSettings = field(default_factory=ImageAugmentationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)


@settings
class AudioSettings:
    """Settings of `aver.pretraining.audio.pretrain_audio`.

    Parameters
    ----------
    target : {"speaker", "emotion"}
        The labels to train with.
    feature_settings : mapping of str to JSON value
        Of the feature ``spectrogram-segments``.
    width, blocks, stem
        Of the `aver.networks.resnet.ResNet18`.
    segments : int >= 1
        Number of segments drawn from each clip for a training step.
    dropout, label_smoothing : float in [0, 1)
    validation_share : float in (0, 1)
        For speakers as labels: the share of each speaker's clips that selects the epoch.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    target: Literal["speaker", "emotion"] = "speaker"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    width: Annotated[int, Field(ge=1)] = 64
    blocks: Literal[1, 2] = 2
    stem: Literal["7x7", "3x3"] = "7x7"
    segments: Annotated[int, Field(ge=1)] = 3
    dropout: Fraction = 0.2
    label_smoothing: Fraction = 0.1
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.15
    training: TrainingSettings = field(default_factory=TrainingSettings)


S = TypeVar("S")


def read_settings(
    kind: type[S], modality: str, preset: str, changes: Mapping[str, Any] | None = None
) -> S:
    """Read a preset.

    Parameters
    ----------
    kind : type
        `VideoSettings` or `AudioSettings`.
    modality : {"video", "audio"}
    preset : str
        For example ``"compact"``, or the path of a YAML file with the key ``settings``.
    changes : mapping, optional
        By dotted name: ``{"training.epochs": 5}``.

    Raises
    ------
    SettingsError
        If there is no such preset, or a setting is unknown or out of range.

    Examples
    --------
    >>> read_settings(VideoSettings, "video", "compact", {"training.epochs": 5}).training.epochs
    5
    """
    folder = resources.files("aver.pretraining")
    shipped = {
        file.name.removeprefix(f"{modality}-").removesuffix(".yaml"): file
        for file in folder.iterdir()
        if file.name.startswith(f"{modality}-") and file.name.endswith(".yaml")
    }
    path = Path(preset)
    if path.suffix == ".yaml" and not path.is_file():
        raise SettingsError(f"There is no settings file {path}.")
    if path.suffix != ".yaml" and preset not in shipped:
        raise SettingsError(
            f"There is no preset {preset!r} for 'aver pretrain {modality}'. Known are: "
            f"{', '.join(sorted(shipped))}; or give a YAML file."
        )
    try:
        text = shipped[preset].read_text("utf-8") if preset in shipped else read_document(path)
        values = upgrade(dict(parse_yaml(text)["settings"]))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        raise SettingsError(
            f"The preset {preset!r} is no YAML file with the key 'settings'."
        ) from None
    return settings_from_mapping(kind, apply_changes(values, upgrade(changes or {})))
