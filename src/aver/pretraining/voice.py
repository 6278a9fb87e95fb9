"""`pretrain_voice`: a voice network from speakers or emotions, tested on unseen speakers."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import MediaError
from aver.evaluation.intervals import binomial_interval
from aver.evaluation.run import clip_facts
from aver.execution.files import write_json
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureStore, Preparation
from aver.networks.pretrained import WEIGHTS_NAME, write_weights
from aver.networks.resnet import ResNet18
from aver.networks.shipped import CARD_NAME
from aver.pretraining.cross_corpus import check_apart
from aver.pretraining.equal_error_rate import equal_error_rate, error_rate_interval
from aver.pretraining.run import Classifier, Notice, RunRecord, digest, usable_clips
from aver.pretraining.voice_data import (
    VoiceSettings,
    VoiceShelf,
    check_labels,
    check_pairs,
    classes_of,
    divide_voices,
)
from aver.splits.split import Split
from aver.training.fit import fit
from aver.training.seeding import fixed_threads, seeded
from aver.training.task import Loss, Task

_SEGMENTS_AT_ONCE = 256  # of whole clips; one that has more is taken alone


@dataclass(frozen=True)
class VoiceBatch:
    """Segments ``(all clips' segments, 1, bands, columns)``, how many of each clip, and classes."""

    segments: Tensor
    lengths: tuple[int, ...]
    labels: Tensor

    def to(self, device: torch.device | str) -> VoiceBatch:
        """The same on a device."""
        return VoiceBatch(self.segments.to(device), self.lengths, self.labels.to(device))


@dataclass(frozen=True)
class LabelledVoices:
    """Segments ``(segments, 1, bands, columns)`` of each clip, and classes."""

    clips: Sequence[Tensor]
    labels: Tensor


class VoiceTask(Task):
    """Cross-entropy over clips; scores of a clip's segments are averaged.

    Parameters
    ----------
    network : Classifier
    train, validation : LabelledVoices
    segments : int >= 1
        Drawn from each clip in training.
    batch_size : int >= 2
    label_smoothing : float in [0, 1)
    mean, std : Tensor [shape=(bands, 1)]
        Of each band over the training clips.
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabelledVoices,
        validation: LabelledVoices,
        *,
        segments: int,
        batch_size: int,
        label_smoothing: float,
        mean: Tensor,
        std: Tensor,
    ) -> None:
        super().__init__(network)
        self.train, self.validation = train, validation
        self._segments, self._batch_size = segments, batch_size
        self._smoothing = label_smoothing
        self._mean, self._std = mean, std

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass over the training clips."""
        return max(1, math.ceil(len(self.train.clips) / self._batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[VoiceBatch]:
        """One pass in a random order, over random segments."""
        order = torch.randperm(len(self.train.clips), generator=generator)
        for rows in order.tensor_split(self.steps_per_epoch):
            drawn = []
            for row in rows.tolist():
                clip = self.train.clips[row]
                places = torch.randint(0, len(clip), (self._segments,), generator=generator)
                drawn.append(clip[places])
            lengths = (self._segments,) * len(drawn)
            yield VoiceBatch(torch.cat(drawn), lengths, self.train.labels[rows])

    def validation_batches(self) -> Iterator[VoiceBatch]:
        """All validation clips with all their segments."""
        yield from whole_clips(self.validation)

    def loss(self, batch: VoiceBatch) -> Loss:
        """Score a batch and compare."""
        scores = self.network.fc(self.network.dropout(self.features(batch)))
        smoothing = self._smoothing if self.network.training else 0.0
        value = functional.cross_entropy(scores, batch.labels, label_smoothing=smoothing)
        return Loss(value, len(batch.labels), int((scores.argmax(1) == batch.labels).sum()))

    def features(self, batch: VoiceBatch) -> Tensor:
        """Mean embedding of each clip's segments, ``(clips, size)``."""
        values = (batch.segments.float() - self._mean) / self._std
        rows = self.network.extractor(values.contiguous(memory_format=torch.channels_last))
        return torch.stack([part.mean(dim=0) for part in rows.split(list(batch.lengths))])

    @torch.no_grad()
    def embed(self, clips: Sequence[Tensor]) -> Tensor:
        """Embeddings of whole clips, ``(clips, size)``; the network is in evaluation mode."""
        none = torch.zeros(len(clips), dtype=torch.long)
        batches = whole_clips(LabelledVoices(clips, none))
        return torch.cat([self.features(batch) for batch in batches])


def whole_clips(voices: LabelledVoices) -> Iterator[VoiceBatch]:
    """Clips with all their segments, in order; as many at once as memory surely holds."""
    kept: list[Tensor] = []
    start = 0
    for place, clip in enumerate(voices.clips):
        if kept and sum(map(len, kept)) + len(clip) > _SEGMENTS_AT_ONCE:
            yield _whole(kept, voices.labels[start:place])
            kept, start = [], place
        kept.append(clip)
    if kept:
        yield _whole(kept, voices.labels[start:])


def _whole(clips: Sequence[Tensor], labels: Tensor) -> VoiceBatch:
    return VoiceBatch(torch.cat(list(clips)), tuple(len(clip) for clip in clips), labels)


def error_rate(task: VoiceTask, test: LabelledVoices, clips: Sequence[Clip]) -> float:
    """Of the network as it stands; before training it tells what sound alone gives away."""
    speakers = [str(clip.speaker) for clip in clips]
    return equal_error_rate(task.embed(test.clips).numpy(), speakers)


@torch.no_grad()
def score_voices(
    task: VoiceTask, test: LabelledVoices, clips: Sequence[Clip], target: str
) -> dict[str, Any]:
    """Equal error rate among speakers never heard; where emotions were taught, accuracy too.

    The rate's interval is over speakers, None where there are fewer than three; that of accuracy
    is exact over clips.
    """
    embeddings = task.embed(test.clips)
    speakers = [str(clip.speaker) for clip in clips]
    spread = error_rate_interval(embeddings.numpy(), speakers) or (None, None)
    found: dict[str, Any] = {
        "equal_error_rate": equal_error_rate(embeddings.numpy(), speakers),
        "equal_error_rate_low": spread[0],
        "equal_error_rate_high": spread[1],
        "unseen_speakers": len(set(speakers)),
        "clips": len(clips),
    }
    if target == "emotion":
        right = task.network.fc(embeddings).argmax(dim=1) == test.labels
        hits, count = int(right.sum()), len(right)
        low, high = binomial_interval(hits, count)
        found |= {"accuracy": hits / count, "low": low, "high": high}
    return found


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
        As `aver.pretraining.run.usable_clips` takes it: told of clips that cannot be read.

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
        "audio_tracks": _digest(prepared.clips, feature, store),
        "corpus to verify": _digest(others.clips, feature, store),
    }
    record = RunRecord(out, asked, done=out / CARD_NAME)
    if record.start():
        return VoiceResult(out, json.loads((out / CARD_NAME).read_text(encoding="utf-8")))
    heard, silent = _with_audio(prepared.clips, feature, store)
    parts = divide_voices(heard, split, settings, seed)
    if verify is not None:
        parts["elsewhere"] = _with_audio(others.clips, feature, store)[0]
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


def _with_audio(
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
        "license": "research, non-commercial",
        "split": {"rule": split.rule, "hash": split.hash},
        "speakers": {
            part: sorted({str(clip.speaker) for clip in clips}) for part, clips in own.items()
        },
        "clips": {part: len(clips) for part, clips in own.items()},
        "classes": list(classes),
        "input": {"feature_settings": feature.settings(), "standardized": "train"},
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
    mean, std = _bands(data["train"].clips)
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
        std=std,
    )


def _bands(clips: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each band, every clip counting the same; ``(bands, 1)`` each."""
    means = torch.stack([clip.double().mean(dim=(0, 1, 3)) for clip in clips])
    squares = torch.stack([clip.double().square().mean(dim=(0, 1, 3)) for clip in clips])
    mean = means.mean(dim=0)
    std = (squares.mean(dim=0) - mean.square()).clamp_min(0).sqrt().clamp_min(1e-4)
    return mean.float()[:, None], std.float()[:, None]
