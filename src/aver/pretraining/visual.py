"""`pretrain_visual`: a face network from labelled pictures, tested once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import EMOTIONS
from aver.errors import LabelError, SettingsError
from aver.execution.files import write_json
from aver.models.layers.augmentation import ImageAugmentationSettings
from aver.networks.pretrained import WEIGHTS_NAME, write_weights
from aver.networks.resnet import ResNet18, check_shape
from aver.networks.shipped import CARD_NAME
from aver.pretraining.image_task import (
    ImageScores,
    ImageTask,
    LabelledImages,
    score_images,
)
from aver.pretraining.images import SortedImages, digest_images, keep_sorted, read_images
from aver.pretraining.run import Classifier, RunRecord
from aver.splits.split import SUBSETS, Split
from aver.training.fit import fit
from aver.training.seeding import fixed_threads, seeded
from aver.training.settings import TrainingSettings


@dataclass(frozen=True)
class VisualSettings:
    """Settings of `aver.pretraining.visual.pretrain_visual`.

    Parameters
    ----------
    width, blocks, stem
        As `aver.networks.resnet.ResNet18` takes them.
    size_px : int >= 16
        Side of the pictures.
    dropout : float in [0, 1)
        Before the classifier.
    label_smoothing : float in [0, 1)
    bfloat16 : bool
        Multiply in bfloat16, on a CPU too: quicker where the CPU has instructions for it.
    augmentation : ImageAugmentationSettings
        Drawn for each picture.
    training : TrainingSettings

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    width: int = 64
    blocks: int = 2
    stem: str = "3x3"
    size_px: int = 48
    dropout: float = 0.0
    label_smoothing: float = 0.1
    bfloat16: bool = False
    augmentation: ImageAugmentationSettings = field(default_factory=ImageAugmentationSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        check_shape(self.width, self.blocks, self.stem)
        if self.size_px < 16:
            raise SettingsError(f"size_px is {self.size_px}; a face needs at least 16 pixels.")
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise SettingsError(f"{name} must lie in [0, 1), not {getattr(self, name)}.")


LEAKS = "Copies of test pictures and of validation pictures are among the training pictures."
"""What the card of a training says that set nothing aside."""


@dataclass(frozen=True)
class VisualResult:
    """What a pretraining on pictures came to.

    Parameters
    ----------
    folder : Path
        Holds ``weights.safetensors`` (torchvision's names), ``card.json``, ``images.json`` (what
        was set aside), ``training.jsonl``.
    card : mapping
        Data, split, settings and figures; the same as in ``card.json``.
    """

    folder: Path
    card: dict[str, Any]


def pretrain_visual(
    corpus: Corpus,
    split: Split,
    settings: VisualSettings,
    *,
    out: Path,
    seed: int = 0,
    workers: int = 1,
    leaking: bool = False,
    command: str = "",
) -> VisualResult:
    """Teach a ResNet the emotions of faces.

    Everything is chosen on the validation part: the epoch, and over how many views of a picture
    answers are averaged. The test part is scored once, at the end.

    Parameters
    ----------
    corpus : Corpus
        Of pictures, such as FER2013.
    split : Split
        Its first fold counts; ``official`` for FER2013.
    settings : VisualSettings
    out : Path
        Run folder. An interrupted training goes on from its last whole epoch; a finished one is
        not repeated.
    seed : int
    workers : int >= 1
        Processes for the search for copies.
    leaking : bool
        Set no picture aside, as published figures do: copies of test pictures are learnt from. The
        card says LEAKS.
    command : str
        The command line, for the record.

    Raises
    ------
    LabelError
        If training is left with fewer than two emotions, or lacks one that another part has.
    CheckpointError
        If `out` holds a run with other settings, pictures or seed, finished or not.
    TrainingInterrupted
        After Ctrl-C; the same call goes on.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 4.2: "The CNN in visual modality is initialized from a
    facial image expression recognition task, the challenge FER2013".
    Differs from the paper: it names neither size nor training nor what was done about copies.
    """
    asked = {
        "settings": dataclasses.asdict(settings),
        "seed": seed,
        "split": split.hash,
        "images": digest_images(corpus.clips),
        **({"leaking": True} if leaking else {}),
    }
    record = RunRecord(out, asked, done=out / CARD_NAME)
    if record.start():
        return VisualResult(out, json.loads((out / CARD_NAME).read_text(encoding="utf-8")))
    images = keep_sorted(corpus, split, out / "images.json", workers=workers)
    if leaking:
        images = images.as_published(split.folds[0])
    clips = {clip.clip_id: clip for clip in corpus}
    classes = _classes(clips, images.parts)
    parts = {
        part: _in_memory([clips[n] for n in names], classes, settings.size_px)
        for part, names in images.parts.items()
    }
    with seeded(seed, "start"):
        extractor = ResNet18(1, settings.width, settings.blocks, settings.stem)
        network = Classifier(extractor, len(classes), settings.dropout)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    task = ImageTask(
        network,
        parts["train"],
        parts["validation"],
        batch_size=settings.training.batch_size,
        augmentation=settings.augmentation,
        label_smoothing=settings.label_smoothing,
        bfloat16=settings.bfloat16,
    )
    history = fit(
        task, settings.training, seed=seed, run_folder=out, description="Training on pictures"
    )
    doubtful = np.isin(images.parts["test"], images.doubtful)
    with fixed_threads(settings.training.threads):
        figures = score_images(task, parts["validation"], parts["test"], ~doubtful, classes)
    card = _card(corpus, split, images, classes, settings, figures)
    card |= {
        **({"leaks": [LEAKS]} if leaking else {}),
        "seed": seed,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "parameters": sum(p.numel() for p in network.parameters()),
        "command": command,
    }
    write_weights(out / WEIGHTS_NAME, network.torchvision_weights())
    write_json(out / CARD_NAME, card)
    record.finish()
    return VisualResult(out, card)


def _classes(clips: Mapping[str, Clip], parts: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    present = {clips[name].emotion for name in parts["train"]}
    others = {clips[name].emotion for part in SUBSETS for name in parts[part]} - present
    if others or len(present) < 2:
        lacking = ", ".join(sorted(str(word) for word in others)) or "a second emotion"
        raise LabelError(
            f"Once copies and blank pictures are set aside, training has no picture of {lacking}. "
            "Give it more pictures, or leave that emotion out (--emotions)."
        )
    return tuple(emotion for emotion in EMOTIONS if emotion in present)


def _in_memory(clips: list[Clip], classes: tuple[str, ...], size_px: int) -> LabelledImages:
    images = torch.from_numpy(read_images(clips, size_px))[:, None]
    labels = torch.tensor([classes.index(clip.emotion or "") for clip in clips])
    return LabelledImages(images, labels)


def _card(
    corpus: Corpus,
    split: Split,
    images: SortedImages,
    classes: tuple[str, ...],
    settings: VisualSettings,
    figures: ImageScores,
) -> dict[str, Any]:
    return {
        "kind": "face network",
        "trained_on": [corpus.label],
        "license": "research, non-commercial",
        "split": {"rule": split.rule, "hash": split.hash},
        "speakers": "unknown: the corpus names none, so that one person may be in several parts",
        "images": {part: len(images.parts[part]) for part in SUBSETS},
        "set_aside": {
            part: {fault: len(names) for fault, names in faults.items()}
            for part, faults in images.faults.items()
        },
        "doubtful_in_test": len(images.doubtful),
        "classes": list(classes),
        "input": {"size_px": settings.size_px, "gray": True, "standardized": "per picture"},
        "network": {
            "name": "resnet18",
            "channels_in": 1,
            "width": settings.width,
            "blocks": settings.blocks,
            "stem": settings.stem,
        },
        "settings": dataclasses.asdict(settings),
        "metrics": dataclasses.asdict(figures),
    }
