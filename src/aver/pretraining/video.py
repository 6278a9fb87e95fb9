"""`pretrain_video`: trains a face network on labeled images and tests it once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import CheckpointError, LabelError
from aver.evaluation.intervals import binomial_interval
from aver.evaluation.run import Run
from aver.execution.files import write_json
from aver.models.data.batches import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation
from aver.networks.face_network import FaceNetwork, standardize_images
from aver.networks.pretrained import find_weights, write_weights
from aver.networks.shipped import CARD_NAME, WEIGHTS_NAME, read_card
from aver.pretraining.classifier import Classifier, card_facts, new_classifier
from aver.pretraining.images import digest_images, read_images, sort_images, with_surround
from aver.pretraining.settings import VideoSettings
from aver.settings import settings_to_mapping
from aver.splits.split import SUBSETS, Split
from aver.training.fit import fit
from aver.training.seeding import fixed_threads
from aver.training.task import Loss, Task

LEAKS = "Copies of test images and of validation images are among the training images."
"""On the card of a training that set nothing aside."""


def pretrain_video(
    corpus: Corpus,
    split: Split,
    settings: VideoSettings,
    *,
    out: Path,
    seed: int = 0,
    workers: int = 1,
    leaking: bool = False,
    tests: Mapping[str, Sequence[Clip]] | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Train a ResNet on the emotions of face images.

    All choices are made on the validation subset: the epoch, and the views of an image over which
    probabilities are averaged. The test subset is scored once, at the end.

    Parameters
    ----------
    corpus : Corpus
        Of images, such as FER2013; `aver.pretraining.images.join_images` makes one of several.
    split : Split
        Its first fold counts; ``official`` for FER2013.
    settings : VideoSettings
    out : Path
        Run folder. Receives ``weights.safetensors`` (torchvision's names), ``card.json``,
        ``images.json`` (the images set aside) and ``training.jsonl``. An interrupted training is
        resumed after its last whole epoch; a finished one is not repeated.
    seed : int
    workers : int >= 1
        Processes that search for copies.
    leaking : bool
        Set no images aside, as published figures do: training then includes copies of test images,
        and the card states LEAKS.
    tests : mapping of str to sequence of Clip, optional
        More images to test on, such as the same ones with other labels, each under a name for the
        card. Their copies are set aside from training and validation.
    command : str
        The command line, for the card.

    Returns
    -------
    dict
        The card: data, split, settings and figures, as in ``card.json``.

    Raises
    ------
    LabelError
        If training is left with fewer than two emotions, or lacks one that another subset has.
    SettingsError
        If `out` holds a run with other settings, images or seed, finished or not.
    TrainingInterrupted
        After Ctrl-C; the same call resumes the training.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 4.2: "The CNN in visual modality is initialized from a
    facial image expression recognition task, the challenge FER2013".
    Differs from the paper: it states neither the size of the network nor its training nor what was
    done about copies.
    """
    tests = dict(tests or {})
    more_tests = [clip for some in tests.values() for clip in some]
    identity = {
        "settings": _identity_of(settings),
        "seed": seed,
        "split": split.hash,
        "images": digest_images(corpus.clips),
        **({"leaking": True} if leaking else {}),
        **({"tests": digest_images(more_tests)} if more_tests else {}),
    }
    run = Run(out, identity, result=CARD_NAME)
    if run.start():
        return read_card(out)
    images = sort_images(
        corpus, split, workers=workers, cache=out / "images.json", more_tests=more_tests
    )
    if leaking:
        images = images.as_published(split.folds[0])
    clips = {subset: corpus.select(list(names)) for subset, names in images.subsets.items()}
    classes = _classes(clips)
    data = {subset: LabeledImages.read(some, classes, settings) for subset, some in clips.items()}
    network = new_classifier(settings, len(classes), seed)
    train = data["train"]
    prior = train.shares.mean(dim=0).tolist()
    if settings.teacher:
        train = train.taught(find_weights(settings.teacher), classes, settings.teacher_share)
    task = ImageTask(network, train, data["validation"], settings)
    history = fit(
        task, settings.training, seed=seed, run_folder=out, description="Training on images"
    )
    doubtful = np.isin(images.subsets["test"], images.doubtful)
    with fixed_threads(settings.training.threads):
        scores = score_images(task, data["validation"], data["test"], doubtful, classes)
        others = {
            label: asdict(test_images(task, some, classes, settings, scores.views))
            for label, some in tests.items()
        }
    card = {
        "kind": "face network",
        **card_facts(corpus, split, settings, classes),
        "speakers": "unknown: the corpus names none; one person may be in several subsets",
        "images": {subset: len(images.subsets[subset]) for subset in SUBSETS},
        "set_aside": {
            subset: {fault: len(names) for fault, names in faults.items()}
            for subset, faults in images.faults.items()
        },
        "doubtful_in_test": len(images.doubtful),
        "input": {"size_px": settings.size_px, "gray": True, "standardized": "per image"},
        "prior": dict(zip(classes, prior, strict=True)),
        "metrics": asdict(scores),
        **({"tests": others} if others else {}),
        **({"leaks": [LEAKS]} if leaking else {}),
        "seed": seed,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "parameters": sum(p.numel() for p in network.parameters()),
        "command": command,
    }
    write_weights(out / WEIGHTS_NAME, network.torchvision_weights())
    write_json(out / CARD_NAME, card)
    run.finish()
    return card


def _identity_of(settings: VideoSettings) -> dict[str, Any]:
    """Settings as version 0.1 recorded them, and later ones only if they change anything."""
    values = settings_to_mapping(settings)
    later = ("surround", "resolution", "votes", "teacher", "teacher_share")
    neutral = settings_to_mapping(VideoSettings())
    return {k: v for k, v in values.items() if k not in later or v != neutral[k]}


def _classes(clips: Mapping[str, list[Clip]]) -> tuple[str, ...]:
    emotions = {subset: {clip.emotion for clip in some} for subset, some in clips.items()}
    present = emotions["train"]
    others = emotions["validation"] | emotions["test"]
    if others - present or len(present) < 2:
        lacking = ", ".join(sorted(map(str, others - present))) or "a second emotion"
        raise LabelError(
            f"After copies and blank images were set aside, training has no image of {lacking}. "
            "Add images, or leave that emotion out (--emotions)."
        )
    return in_canonical_order(map(str, present))


@dataclass(frozen=True)
class LabeledImages:
    """A subset of images, or a batch of it.

    Parameters
    ----------
    images : Tensor of uint8 [shape=(images, 1, side, side)]
        Faces with their surroundings, if the settings ask for any.
    labels : Tensor of int64 [shape=(images,)]
        Indices of classes.
    shares : Tensor of float32 [shape=(images, classes)]
        What to train on: shares of votes, or 1 for the label.
    """

    images: Tensor
    labels: Tensor
    shares: Tensor

    @classmethod
    def read(
        cls, clips: Sequence[Clip], classes: tuple[str, ...], settings: VideoSettings
    ) -> LabeledImages:
        """Decode the images of clips whose emotions are among `classes`.

        Raises
        ------
        MediaError
            If an image cannot be decoded.
        """
        labels = torch.tensor([classes.index(clip.emotion or "") for clip in clips])
        shares = functional.one_hot(labels, len(classes)).float()
        for row, clip in enumerate(clips):
            votes = clip.votes.get("face", {}) if settings.votes else {}
            known = torch.tensor([votes.get(name, 0.0) for name in classes])
            if known.sum() > 0:  # votes for other emotions do not count
                shares[row] = known / known.sum()
        images = torch.from_numpy(read_images(clips, settings.size_px, settings.surround))
        return cls(images[:, None], labels, shares)

    def to(self, device: torch.device | str) -> LabeledImages:
        """The same on a device."""
        return LabeledImages(*(one.to(device) for one in (self.images, self.labels, self.shares)))

    @torch.no_grad()
    def taught(self, weights: Path, classes: tuple[str, ...], share: float) -> LabeledImages:
        """The same with the probabilities of a trained network mixed into the shares.

        The probabilities are the mean over the image and its mirror image.

        Raises
        ------
        CheckpointError
            If the network predicts other classes.
        """
        teacher = FaceNetwork(weights)
        if teacher.classes != classes:
            raise CheckpointError(
                f"The teacher at {weights} predicts {', '.join(teacher.classes) or 'nothing'}, "
                f"but the images are {', '.join(classes)}."
            )
        rows = []
        for images in self.images.split(_BATCH_SIZE):
            faces = center(images, teacher.size_px)[:, 0].numpy()
            both = [teacher.probabilities(one) for one in (faces, faces[:, :, ::-1])]
            rows.append(torch.from_numpy(np.mean(both, axis=0)))
        shares = share * torch.cat(rows) + (1 - share) * self.shares
        return LabeledImages(self.images, self.labels, shares)

    def batches(self, order: Tensor, size: int) -> Iterator[LabeledImages]:
        """Batches of at most `size` images, as equal in size as possible."""
        for rows in order.tensor_split(max(1, math.ceil(len(order) / size))):
            yield LabeledImages(self.images[rows], self.labels[rows], self.shares[rows])


_BATCH_SIZE = 256  # without gradients


class ImageTask(Task):
    """Cross-entropy over images, each augmented on its own.

    Parameters
    ----------
    network : Classifier
    train, validation : LabeledImages
    settings : VideoSettings
        Labels are smoothed in training only. Weights and sums stay in float32 with bfloat16.
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabeledImages,
        validation: LabeledImages,
        settings: VideoSettings,
    ) -> None:
        super().__init__(network)
        self.train, self.validation, self._settings = train, validation, settings
        inner = settings.size_px / with_surround(settings.size_px, settings.surround)
        self._augment = ImageAugmentation(settings.augmentation, inner)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of one pass over the training images."""
        return max(1, math.ceil(len(self.train.labels) / self._settings.training.batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[LabeledImages]:
        """One pass in a random order."""
        order = torch.randperm(len(self.train.labels), generator=generator)
        return self.train.batches(order, self._settings.training.batch_size)

    def validation_batches(self) -> Iterator[LabeledImages]:
        """All validation images."""
        return self.validation.batches(torch.arange(len(self.validation.labels)), _BATCH_SIZE)

    def loss(self, batch: LabeledImages) -> Loss:
        """Cross-entropy of a batch."""
        scores = self.scores(batch.images)
        smoothing = self._settings.label_smoothing if self.network.training else 0.0
        value = functional.cross_entropy(scores, batch.shares, label_smoothing=smoothing)
        correct = int((scores.argmax(dim=1) == batch.labels).sum())
        return Loss(value, len(batch.labels), correct)

    def scores(self, images: Tensor) -> Tensor:
        """Scores ``(n, classes)`` of images, augmented if the network is in training mode."""
        size_px = self._settings.size_px
        if not self.network.training:
            values = standardize_images(center(images, size_px))
        else:
            values, count = standardize_images(images), len(images)
            each = ClipSequences(values, (1,) * count, torch.ones(count, dtype=torch.bool))
            values = self._augment(values, each)
            values = reduce_resolution(values, self._settings.resolution)
            if self._settings.surround:  # what is left of the image differs from the whole
                values = standardize_images(values)
        values = values.contiguous(memory_format=torch.channels_last)
        bfloat16 = self._settings.bfloat16
        with torch.autocast(values.device.type, torch.bfloat16, enabled=bfloat16):
            return self.network(values).float()


def center(images: Tensor, size_px: int) -> Tensor:
    """The faces of images ``(n, 1, side, side)``, without their surroundings."""
    margin = (images.shape[-1] - size_px) // 2
    return images[:, :, margin : margin + size_px, margin : margin + size_px]


def reduce_resolution(images: Tensor, share: float) -> Tensor:
    """Reduce half of the batches to a random resolution and enlarge them again.

    Parameters
    ----------
    images : Tensor [shape=(images, 1, height, width)]
    share : float in (0, 1]
        Smallest resolution, relative to that of the images; 1 draws and changes nothing.
    """
    if share == 1 or torch.rand(()) < 0.5:
        return images
    factor = share + (1 - share) * float(torch.rand(()))
    size = [max(1, round(factor * side)) for side in images.shape[2:]]
    small = functional.interpolate(images, size, mode="bilinear", antialias=True)
    return functional.interpolate(small, images.shape[2:], mode="bilinear")


VIEWS = ("plain", "mirrored", "mirrored and shifted")
"""The image; also its mirror image; also both, moved by two pixels towards each corner."""

_SHIFT_PX = 2
_SHIFTS = ((0, 0), *((down, right) for down in (-_SHIFT_PX, _SHIFT_PX)
                     for right in (-_SHIFT_PX, _SHIFT_PX)))  # fmt: skip


@dataclass(frozen=True)
class Share:
    """Accuracy over images with its exact 95 % interval.

    Images count as independent, because the persons are unknown: the interval is optimistic.
    """

    value: float
    low: float
    high: float
    images: int

    @classmethod
    def of(cls, correct: np.ndarray) -> Share:
        """From one bool per image."""
        hits, count = int(correct.sum()), len(correct)
        return cls(hits / max(1, count), *binomial_interval(hits, count), count)


@dataclass(frozen=True)
class ImageScores:
    """Figures of a face network.

    Parameters
    ----------
    validation, test : Share
        Test: the whole subset, as in published figures.
    test_without_doubtful : Share
        Without images that are blank, have two labels, or occur twice.
    test_plain : Share
        The whole test subset with one view per image; nothing was chosen by it.
    test_recall : mapping of str to float
        Per class, on the whole test subset.
    views : str
        Which of `VIEWS` were averaged; chosen on validation.
    """

    validation: Share
    test: Share
    test_without_doubtful: Share
    test_plain: Share
    test_recall: dict[str, float]
    views: str


def score_images(
    task: ImageTask,
    validation: LabeledImages,
    test: LabeledImages,
    doubtful: np.ndarray,
    classes: tuple[str, ...],
) -> ImageScores:
    """Choose on validation which views of an image to average, then test once.

    Parameters
    ----------
    task : ImageTask
        Its network is trained.
    validation, test : LabeledImages
    doubtful : np.ndarray of bool [shape=(test images,)]
    classes : tuple of str
        In the order of the outputs of the network.
    """
    candidates = {views: _correct(task, validation, views) for views in VIEWS}
    best = max(candidates, key=lambda views: int(candidates[views].sum()))  # the cheapest of equals
    correct = _correct(task, test, best)
    return ImageScores(
        validation=Share.of(candidates[best]),
        test=Share.of(correct),
        test_without_doubtful=Share.of(correct[~doubtful]),
        test_plain=Share.of(_correct(task, test, "plain")),
        test_recall=_recall(correct, test.labels.numpy(), classes),
        views=best,
    )


@dataclass(frozen=True)
class OtherScores:
    """Figures on further test images: with the views of `ImageScores`, and with a single one."""

    test: Share
    test_plain: Share
    test_recall: dict[str, float]
    unknown: int
    """Images of emotions that the network does not know; they are left out."""


def test_images(
    task: ImageTask,
    clips: Sequence[Clip],
    classes: tuple[str, ...],
    settings: VideoSettings,
    views: str,
) -> OtherScores:
    """Test once on the images of clips."""
    known = [clip for clip in clips if clip.emotion in classes]
    test = LabeledImages.read(known, classes, settings)
    correct = _correct(task, test, views)
    return OtherScores(
        Share.of(correct),
        Share.of(_correct(task, test, "plain")),
        _recall(correct, test.labels.numpy(), classes),
        len(clips) - len(known),
    )


def _recall(correct: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, float]:
    return {
        name: float(correct[labels == index].mean())
        for index, name in enumerate(classes)
        if (labels == index).any()
    }


@torch.no_grad()
def _correct(task: ImageTask, subset: LabeledImages, views: str) -> np.ndarray:
    """For each image whether the class of the highest mean probability over its views is right."""
    rows = []
    for images in subset.images.split(_BATCH_SIZE):
        probabilities = [task.scores(view).softmax(dim=1) for view in image_views(images, views)]
        rows.append(torch.stack(probabilities).mean(dim=0))
    return (torch.cat(rows).argmax(dim=1) == subset.labels).numpy()


def image_views(images: Tensor, views: str) -> list[Tensor]:
    """The views of images ``(n, 1, height, width)``, each of the same shape; see `VIEWS`."""
    mirrored = [images] if views == "plain" else [images, images.flip(3)]
    if views != "mirrored and shifted":
        return mirrored
    height, width = images.shape[2:]
    result = []
    for image in mirrored:
        padded = functional.pad(image.float(), (_SHIFT_PX,) * 4, mode="replicate").to(image.dtype)
        result += [
            padded[:, :, _SHIFT_PX + down :, _SHIFT_PX + right :][:, :, :height, :width]
            for down, right in _SHIFTS
        ]
    return result
