"""`pretrain_voice`: a voice network from speakers or emotions, tested on unseen speakers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError
from aver.evaluation.clip_facts import clip_facts
from aver.execution.atomic import write_json
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureStore, Preparation
from aver.networks.pretrained import WEIGHTS_NAME
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME
from aver.networks.weight_file import write_weights
from aver.pretraining.answer_corpus import check_apart
from aver.pretraining.classifier import Classifier
from aver.pretraining.run_record import RunRecord, digest
from aver.pretraining.usable_clips import Notice, usable_clips
from aver.pretraining.voice_parts import check_labels, check_pairs, classes_of, divide_voices
from aver.pretraining.voice_scores import error_rate, score_voices
from aver.pretraining.voice_settings import VoiceSettings
from aver.pretraining.voice_shelf import VoiceShelf
from aver.pretraining.voice_task import LabelledVoices, VoiceTask
from aver.splits.split import Split
from aver.training.fit import fit
from aver.training.fixed_threads import fixed_threads
from aver.training.seeding import seeded

_NO_VOICES = Preparation((), (), 0, 0)


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
    notice: Notice | None = None,
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
    notice : callable, optional
        As `aver.pretraining.usable_clips.usable_clips` takes it: told of clips that cannot be read.

    Raises
    ------
    LabelError
        If a clip has no speaker, or no emotion where these are taught.
    SettingsError
        If training and test share speakers, too few clips can be used, or `verify` shares a sound
        with `corpus`.
    CheckpointError
        If `out` holds a run with other settings, sounds or seed, finished or not.
    MediaError
        If all clips are silent or unreadable.

    Notes
    -----
    Source: Chang & Skarbek 2021, section 4.2: "The CNN is pretrained on the voice recognition task
    from VoxCeleb dataset"; verified by the equal error rate on unseen speakers, as VoxCeleb is.
    """
    store = store or FeatureStore()
    feature = feature_from_settings("spectrogram-segments", settings.feature_settings)
    check_labels(corpus, settings.target)
    prepared = usable_clips(store, corpus.clips, [feature], workers=workers, notice=notice)
    others = _NO_VOICES
    if verify is not None:
        check_labels(verify, "speaker")
        others = usable_clips(store, verify.clips, [feature], workers=workers, notice=notice)
        readable = dataclasses.replace(verify, clips=others.clips)
        check_apart(dataclasses.replace(corpus, clips=prepared.clips), readable, store)
    asked = {
        "settings": dataclasses.asdict(settings),
        "seed": seed,
        "split": split.hash,
        "sounds": _digest(prepared.clips, feature, store),
        "corpus to verify": _digest(others.clips, feature, store),
    }
    record = RunRecord(out, asked, done=out / CARD_NAME)
    if record.start():
        return VoiceResult(out, json.loads((out / CARD_NAME).read_text(encoding="utf-8")))
    heard, silent = _with_sound(prepared.clips, feature, store)
    parts = divide_voices(heard, split, settings, seed)
    if verify is not None:
        parts["elsewhere"] = _with_sound(others.clips, feature, store)[0]
        check_pairs(parts["elsewhere"], verify.label)
    classes = classes_of(parts, settings.target)
    data = {
        part: _labelled(clips, feature, store, classes, settings.target)
        for part, clips in parts.items()
    }
    task = _task(data, settings, len(classes), seed)
    tested = [part for part in ("test", "elsewhere") if part in parts]
    task.network.eval()
    with fixed_threads(settings.training.threads):
        untrained = {part: error_rate(task, data[part], parts[part]) for part in tested}
    history = fit(
        task,
        settings.training,
        seed=seed,
        run_folder=out,
        description=f"Training on voices, {settings.target}",
    )
    with fixed_threads(settings.training.threads):
        metrics = {
            part: score_voices(
                task, data[part], parts[part], settings.target if part == "test" else "speaker"
            )
            | {"equal_error_rate_untrained": untrained[part]}
            for part in tested
        }
    unusable = {failure.clip.clip_id: failure.reason for failure in prepared.failures} | silent
    card = _card(corpus, split, settings, feature, classes, parts) | {
        "unusable_clips": unusable,
        "seed": seed,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "metrics": metrics["test"],
    }
    if verify is not None:
        card["metrics"]["elsewhere"] = {"corpus": verify.label, **metrics["elsewhere"]}
    write_weights(out / WEIGHTS_NAME, task.network.torchvision_weights())
    write_json(out / CARD_NAME, card)
    record.finish()
    return VoiceResult(out, card)


def _digest(clips: Sequence[Clip], feature: Feature, store: FeatureStore) -> str:
    """Of clips, their labels and the content of their sounds."""
    return digest([[*clip_facts(clip), store.content_key(clip, feature)] for clip in clips])


def _with_sound(
    clips: Sequence[Clip], feature: Feature, store: FeatureStore
) -> tuple[list[Clip], dict[str, str]]:
    """Clips in which something is to be heard, and the ids of the others with the reason.

    Raises
    ------
    MediaError
        If there is none of the former.
    """
    missing = {clip.clip_id: store.get(clip, feature).missing for clip in clips}
    heard = [clip for clip in clips if not missing[clip.clip_id]]
    if not heard:
        why = f": {clips[0].clip_id} for one ({missing[clips[0].clip_id]})" if clips else ""
        raise MediaError(f"In none of {len(clips)} readable clips is anything to be heard{why}.")
    return heard, {clip_id: why for clip_id, why in missing.items() if why}


def _labelled(
    clips: Sequence[Clip],
    feature: Feature,
    store: FeatureStore,
    classes: tuple[str, ...],
    target: str,
) -> LabelledVoices:
    """Labels that training does not know, those of unseen speakers, are -1."""
    known = {word: place for place, word in enumerate(classes)}
    labels = torch.tensor([known.get(str(getattr(clip, target)), -1) for clip in clips])
    return LabelledVoices(VoiceShelf(clips, feature, store), labels)


def _card(
    corpus: Corpus,
    split: Split,
    settings: VoiceSettings,
    feature: Feature,
    classes: tuple[str, ...],
    parts: Mapping[str, Sequence[Clip]],
) -> dict[str, Any]:
    own = {part: clips for part, clips in parts.items() if part != "elsewhere"}
    return {
        "kind": "voice network",
        "taught": settings.target,
        "trained_on": [corpus.label],
        "licence": "research, non-commercial",
        "split": {"rule": split.rule, "hash": split.hash},
        "speakers": {
            part: sorted({str(clip.speaker) for clip in clips}) for part, clips in own.items()
        },
        "clips": {part: len(clips) for part, clips in own.items()},
        "classes": list(classes),
        "input": {"feature_settings": feature.settings(), "standardised": "train"},
        "network": {
            "name": "resnet18",
            "channels_in": 1,
            **{key: getattr(settings, key) for key in ("width", "blocks", "stem")},
        },
        "settings": dataclasses.asdict(settings),
    }


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
