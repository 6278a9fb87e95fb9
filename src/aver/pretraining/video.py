"""`pretrain_video`: trains a face network on labeled images and tests it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError
from aver.evaluation.run import Run
from aver.execution.files import write_json
from aver.networks.pretrained import find_weights, write_weights
from aver.networks.shipped import CARD_NAME, WEIGHTS_NAME, read_card
from aver.pretraining.classifier import card_facts, new_classifier
from aver.pretraining.image_scores import score_images, test_images
from aver.pretraining.image_task import ImageTask, LabeledImages
from aver.pretraining.images import digest_images, sort_images
from aver.pretraining.settings import VideoSettings
from aver.settings import settings_to_mapping
from aver.splits.split import SUBSETS, Split
from aver.training.fit import fit
from aver.training.seeding import fixed_threads

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
