"""`pretrain_voice`: a voice network from speakers or emotions, tested on unseen speakers."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import SettingsError
from aver.evaluation.clip_facts import clip_facts
from aver.execution.atomic import write_json
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureStore
from aver.models.parts.clip_frames import load_clip_frames
from aver.networks.pretrained import WEIGHTS_NAME
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME
from aver.networks.weight_file import write_weights
from aver.pretraining.classifier import Classifier
from aver.pretraining.run_record import RunRecord, digest
from aver.pretraining.voice_scores import error_rate, score_voices
from aver.pretraining.voice_settings import VoiceSettings
from aver.pretraining.voice_task import LabelledVoices, VoiceTask
from aver.splits.split import Split
from aver.training.fit import fit
from aver.training.fixed_threads import fixed_threads
from aver.training.seeding import derived_seed, seeded


@dataclass(frozen=True)
class VoiceResult:
    """What a pretraining on voices came to: ``weights.safetensors`` and ``card.json`` in a folder.

    Parameters
    ----------
    folder : Path
    card : mapping
    """

    folder: Path
    card: dict[str, Any]


def pretrain_voice(
    corpus: Corpus,
    split: Split,
    settings: VoiceSettings,
    *,
    out: Path,
    verify: Corpus | None = None,
    store: FeatureStore | None = None,
    seed: int = 0,
    workers: int = 1,
) -> VoiceResult:
    """Teach a ResNet who speaks, or what a voice expresses.

    Parameters
    ----------
    corpus : Corpus
        Clips with sound and speakers.
    split : Split
        Its first fold counts. Speakers are taught from training and validation clips together, a
        share of each speaker's clips choosing the epoch; emotions from the training clips, the
        validation speakers choosing it. The test speakers are heard once, at the end.
    settings : VoiceSettings
    out : Path
        Run folder; an interrupted training goes on from its last whole epoch, a finished one is
        not repeated.
    verify : Corpus, optional
        Another corpus with speakers: the equal error rate among them is told too.
    store : FeatureStore, optional
    seed, workers : int

    Raises
    ------
    SettingsError
        If training and test share speakers.
    CheckpointError
        If `out` holds a run with other settings, sounds or seed, finished or not.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 4.2: "The CNN is pretrained on the voice recognition task
    from VoxCeleb dataset"; verified by the equal error rate on unseen speakers, as VoxCeleb is.
    """
    store = store or FeatureStore()
    feature = feature_from_settings("spectrogram-segments", settings.feature_settings)
    fold = split.folds[0]
    prepared_clips = store.prepare(corpus.clips, [feature], workers=workers)
    usable = prepared_clips.clips
    record = RunRecord(
        out,
        {
            "settings": dataclasses.asdict(settings),
            "seed": seed,
            "split": split.hash,
            "sounds": digest([[*clip_facts(c), store.content_key(c, feature)] for c in usable]),
            "corpus to verify": "" if verify is None else digest([clip_facts(c) for c in verify]),
        },
        done=out / CARD_NAME,
    )
    if record.start():
        return VoiceResult(out, json.loads((out / CARD_NAME).read_text(encoding="utf-8")))
    prepared = {c.clip_id: c for c in usable if not store.get(c, feature).missing}
    parts = {
        part: [prepared[name] for name in names if name in prepared]
        for part, names in fold.parts().items()
    }
    heard = {str(clip.speaker) for clip in parts["train"] + parts["validation"]}
    if heard & {str(clip.speaker) for clip in parts["test"]}:
        raise SettingsError(
            f"The split {split.rule!r} has speakers in training and in test; an equal error rate "
            "on them would say nothing. Use speaker-kfold."
        )
    if settings.target == "speaker":
        parts = _by_share(parts, settings.validation_share, seed)
    classes = _classes(parts["train"], settings.target)
    data = {
        part: _in_memory(clips, feature, store, classes, settings.target)
        for part, clips in parts.items()
    }
    tested = {"test": parts["test"]}
    if verify is not None:
        found = store.prepare(verify.clips, [feature], workers=workers).clips
        tested["elsewhere"] = [clip for clip in found if not store.get(clip, feature).missing]
        data["elsewhere"] = _in_memory(tested["elsewhere"], feature, store, (), "speaker")
    task = _task(data, settings, len(classes), seed)
    task.network.eval()
    with fixed_threads(settings.training.threads):
        untrained = {name: error_rate(task, data[name], clips) for name, clips in tested.items()}
    history = fit(
        task,
        settings.training,
        seed=seed,
        run_folder=out,
        description=f"Training on voices, {settings.target}",
    )
    with fixed_threads(settings.training.threads):
        metrics = score_voices(task, data["test"], parts["test"], settings.target)
        metrics["equal_error_rate_untrained"] = untrained["test"]
        if verify is not None:
            clips = tested["elsewhere"]
            metrics["elsewhere"] = {
                "corpus": verify.label,
                "speakers": len({str(clip.speaker) for clip in clips}),
                "clips": len(clips),
                "equal_error_rate": error_rate(task, data["elsewhere"], clips),
                "equal_error_rate_untrained": untrained["elsewhere"],
            }
    card = {
        "kind": "voice network",
        "taught": settings.target,
        "trained_on": [corpus.label],
        "licence": "research, non-commercial",
        "split": {"rule": split.rule, "hash": split.hash},
        "speakers": {
            part: sorted({str(clip.speaker) for clip in clips}) for part, clips in parts.items()
        },
        "clips": {part: len(clips) for part, clips in parts.items()},
        "unusable_clips": {f.clip.clip_id: f.reason for f in prepared_clips.failures},
        "classes": list(classes),
        "input": {"feature_settings": feature.settings(), "standardised": "train"},
        "network": {
            "name": "resnet18",
            "channels_in": 1,
            **{key: getattr(settings, key) for key in ("width", "blocks", "stem")},
        },
        "seed": seed,
        "settings": dataclasses.asdict(settings),
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "metrics": metrics,
    }
    write_weights(out / WEIGHTS_NAME, task.network.torchvision_weights())
    write_json(out / CARD_NAME, card)
    record.finish()
    return VoiceResult(out, card)


def _by_share(parts: dict[str, list[Clip]], share: float, seed: int) -> dict[str, list[Clip]]:
    """The same speakers in training and validation, for whoever is to be known must be heard."""
    rng = np.random.default_rng(derived_seed(seed, "voices"))
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in parts["train"] + parts["validation"]:
        by_speaker[str(clip.speaker)].append(clip)
    train, validation = [], []
    for clips in by_speaker.values():
        order = rng.permutation(len(clips))
        held_out = max(1, round(share * len(clips)))
        validation += [clips[i] for i in order[:held_out]]
        train += [clips[i] for i in order[held_out:]]
    return {"train": train, "validation": validation, "test": parts["test"]}


def _classes(clips: Sequence[Clip], target: str) -> tuple[str, ...]:
    words = {str(getattr(clip, target)) for clip in clips}
    return in_canonical_order(words) if target == "emotion" else tuple(sorted(words))


def _in_memory(
    clips: Sequence[Clip],
    feature: Feature,
    store: FeatureStore,
    classes: tuple[str, ...],
    target: str,
) -> LabelledVoices:
    """Labels that training does not know, those of unseen speakers, are -1."""
    found = load_clip_frames(clips, feature, store).frames
    known = {word: place for place, word in enumerate(classes)}
    labels = torch.tensor([known.get(str(getattr(clip, target)), -1) for clip in clips])
    return LabelledVoices(tuple(frames for frames in found if frames is not None), labels)


def _task(
    data: dict[str, LabelledVoices], settings: VoiceSettings, classes: int, seed: int
) -> VoiceTask:
    mean, deviation = _bands(data["train"].clips)
    with seeded(seed, "start"):
        extractor = ResNet18(1, settings.width, settings.blocks, settings.stem)
        network = Classifier(extractor, classes, settings.dropout)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return VoiceTask(
        network,
        data["train"],
        data["validation"],
        segments=settings.segments,
        batch_size=settings.training.batch_size,
        label_smoothing=settings.label_smoothing,
        mean=mean,
        deviation=deviation,
    )


def _bands(clips: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each band, every clip counting the same; ``(bands, 1)`` each."""
    means = torch.stack([clip.double().mean(dim=(0, 1, 3)) for clip in clips])
    squares = torch.stack([clip.double().square().mean(dim=(0, 1, 3)) for clip in clips])
    mean = means.mean(dim=0)
    deviation = (squares.mean(dim=0) - mean.square()).clamp_min(0).sqrt().clamp_min(1e-4)
    return mean.float()[:, None], deviation.float()[:, None]
