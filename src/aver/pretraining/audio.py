"""`pretrain_audio`: trains a voice network on speakers or emotions, tested on unseen speakers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
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
from aver.evaluation.run import Run, clip_facts, digest
from aver.execution.files import write_json
from aver.features.feature import Feature, feature_from_settings
from aver.features.store import FeatureStore, Preparation
from aver.networks.pretrained import write_weights
from aver.networks.shipped import CARD_NAME, WEIGHTS_NAME, read_card
from aver.pretraining.audio_data import (
    ClipSegments,
    Notice,
    check_labels,
    check_pairs,
    classes_of,
    divide_clips,
    usable_clips,
)
from aver.pretraining.classifier import Classifier, card_facts, new_classifier
from aver.pretraining.cross_corpus import check_audio_apart
from aver.pretraining.equal_error_rate import equal_error_rate, error_rate_interval
from aver.pretraining.settings import AudioSettings
from aver.settings import settings_to_mapping
from aver.splits.split import Split
from aver.training.fit import fit
from aver.training.seeding import fixed_threads
from aver.training.task import Loss, Task


def pretrain_audio(
    corpus: Corpus,
    split: Split,
    settings: AudioSettings,
    *,
    out: Path,
    verify: Corpus | None = None,
    store: FeatureStore | None = None,
    seed: int = 0,
    workers: int = 1,
    notice: Notice | None = None,
) -> dict[str, Any]:
    """Train a ResNet to recognize speakers, or emotions, by their speech.

    Parameters
    ----------
    corpus : Corpus
        Clips with audio and speakers.
    split : Split
        Its first fold counts. Speakers as labels: the training and validation clips together are
        trained on, except a share of each speaker's clips that selects the epoch. Emotions as
        labels: the validation speakers select the epoch. The test speakers are scored once, at the
        end.
    settings : AudioSettings
    out : Path
        Run folder. Receives ``weights.safetensors`` (torchvision's names), ``card.json`` and
        ``training.jsonl``. An interrupted training is resumed after its last whole epoch; a
        finished one is not repeated.
    verify : Corpus, optional
        Another corpus with speakers, whose equal error rate is reported too.
    store : FeatureStore, optional
    seed, workers : int
    notice : callable, optional
        Called with the unusable clips, see `aver.pretraining.audio_data.usable_clips`.

    Returns
    -------
    dict
        The card: data, split, settings and figures, as in ``card.json``.

    Raises
    ------
    LabelError
        If a clip has no speaker, or no emotion if these are the labels.
    SettingsError
        If training and test share speakers, too few clips can be used, `verify` shares audio with
        `corpus`, or `out` holds a run with other settings, audio or seed, finished or not.
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
    others = Preparation((), (), 0, 0)
    if verify is not None:
        check_labels(verify, "speaker")
        others = usable_clips(store, verify.clips, [feature], workers=workers, notice=notice)
        readable = dataclasses.replace(verify, clips=others.clips)
        check_audio_apart(dataclasses.replace(corpus, clips=prepared.clips), readable, store)
    identity = {
        "settings": settings_to_mapping(settings),
        "seed": seed,
        "split": split.hash,
        "audio": _digest(prepared.clips, feature, store),
        "corpus to verify": _digest(others.clips, feature, store),
    }
    run = Run(out, identity, result=CARD_NAME)
    if run.start():
        return read_card(out)
    audible, silent = _with_audio(prepared.clips, feature, store)
    subsets = divide_clips(audible, split, settings, seed)
    own = dict(subsets)
    if verify is not None:
        subsets["other_corpus"] = _with_audio(others.clips, feature, store)[0]
        check_pairs(subsets["other_corpus"], verify.label)
    classes = classes_of(subsets, settings.target)
    index = {name: number for number, name in enumerate(classes)}
    data = {
        subset: LabeledSegments(
            ClipSegments(clips, feature, store),
            # Unseen speakers are no class.
            torch.tensor([index.get(str(getattr(clip, settings.target)), -1) for clip in clips]),
        )
        for subset, clips in subsets.items()
    }
    network = new_classifier(settings, len(classes), seed)
    task = AudioTask(network, data["train"], data["validation"], settings)
    tested = {subset: data[subset] for subset in ("test", "other_corpus") if subset in data}
    speakers = {subset: [str(clip.speaker) for clip in subsets[subset]] for subset in tested}
    network.eval()
    with fixed_threads(settings.training.threads):
        # The untrained network shows how far the audio alone, such as the room, tells speakers.
        untrained = {
            subset: equal_error_rate(task.embed(segments.clips).numpy(), speakers[subset])
            for subset, segments in tested.items()
        }
    description = f"Training on voices, {settings.target}"
    history = fit(task, settings.training, seed=seed, run_folder=out, description=description)
    with fixed_threads(settings.training.threads):
        metrics = {
            subset: score_audio(
                task, segments, speakers[subset], settings.target if subset == "test" else "speaker"
            )
            | {"equal_error_rate_untrained": untrained[subset]}
            for subset, segments in tested.items()
        }
    card = {
        "kind": "voice network",
        "target": settings.target,
        **card_facts(corpus, split, settings, classes),
        "speakers": {
            subset: sorted({str(clip.speaker) for clip in clips}) for subset, clips in own.items()
        },
        "clips": {subset: len(clips) for subset, clips in own.items()},
        "input": {"feature_settings": feature.settings(), "standardized": "train"},
        "unusable_clips": {f.clip.clip_id: f.reason for f in prepared.failures} | silent,
        "seed": seed,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch,
        "metrics": metrics["test"],
    }
    if verify is not None:
        metrics["test"]["other_corpus"] = {"corpus": verify.label, **metrics["other_corpus"]}
    write_weights(out / WEIGHTS_NAME, network.torchvision_weights())
    write_json(out / CARD_NAME, card)
    run.finish()
    return card


def _digest(clips: Sequence[Clip], feature: Feature, store: FeatureStore) -> str:
    """Hash of the labels and the audio of clips."""
    return digest([[*clip_facts(clip), store.content_key(clip, feature)] for clip in clips])


def _with_audio(
    clips: Sequence[Clip], feature: Feature, store: FeatureStore
) -> tuple[list[Clip], dict[str, str]]:
    """Clips with audible audio, and the ids of the others with the reason.

    Raises
    ------
    MediaError
        If no clip has audible audio.
    """
    missing = {clip.clip_id: store.get(clip, feature).missing for clip in clips}
    audible = [clip for clip in clips if not missing[clip.clip_id]]
    if not audible:
        first = f", for example {clips[0].clip_id} ({missing[clips[0].clip_id]})" if clips else ""
        raise MediaError(f"None of {len(clips)} readable clips has audible audio{first}.")
    return audible, {clip_id: reason for clip_id, reason in missing.items() if reason}


@dataclass(frozen=True)
class LabeledSegments:
    """Segments ``(segments, 1, bands, columns)`` of each clip, and the classes of the clips."""

    clips: Sequence[Tensor]
    labels: Tensor


@dataclass(frozen=True)
class SegmentBatch:
    """Segments of all clips of a batch, their number per clip, and the classes of the clips.

    Parameters
    ----------
    segments : Tensor [shape=(segments of all clips, 1, bands, columns)]
    lengths : tuple of int
    labels : Tensor [shape=(clips,)]
    """

    segments: Tensor
    lengths: tuple[int, ...]
    labels: Tensor

    def to(self, device: torch.device | str) -> SegmentBatch:
        """The same on a device."""
        return SegmentBatch(self.segments.to(device), self.lengths, self.labels.to(device))


_SEGMENTS_AT_ONCE = 256  # of whole clips; a clip with more is a batch of its own


class AudioTask(Task):
    """Cross-entropy over clips; the embeddings of the segments of a clip are averaged.

    Bands are standardized by their mean and standard deviation over the training clips.

    Parameters
    ----------
    network : Classifier
    train, validation : LabeledSegments
    settings : AudioSettings
    """

    network: Classifier

    def __init__(
        self,
        network: Classifier,
        train: LabeledSegments,
        validation: LabeledSegments,
        settings: AudioSettings,
    ) -> None:
        super().__init__(network)
        self.train, self.validation, self._settings = train, validation, settings
        self._scales = _band_scales(train.clips)

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches of one pass over the training clips."""
        return max(1, math.ceil(len(self.train.clips) / self._settings.training.batch_size))

    def training_batches(self, generator: torch.Generator) -> Iterator[SegmentBatch]:
        """One pass in a random order, with random segments."""
        count = self._settings.segments
        order = torch.randperm(len(self.train.clips), generator=generator)
        for rows in order.tensor_split(self.steps_per_epoch):
            drawn = []
            for row in rows.tolist():
                clip = self.train.clips[row]
                drawn.append(clip[torch.randint(0, len(clip), (count,), generator=generator)])
            yield SegmentBatch(torch.cat(drawn), (count,) * len(drawn), self.train.labels[rows])

    def validation_batches(self) -> Iterator[SegmentBatch]:
        """All validation clips with all their segments."""
        yield from whole_clips(self.validation)

    def loss(self, batch: SegmentBatch) -> Loss:
        """Cross-entropy of a batch."""
        scores = self.network.fc(self.network.dropout(self.features(batch)))
        smoothing = self._settings.label_smoothing if self.network.training else 0.0
        value = functional.cross_entropy(scores, batch.labels, label_smoothing=smoothing)
        correct = int((scores.argmax(dim=1) == batch.labels).sum())
        return Loss(value, len(batch.labels), correct)

    def features(self, batch: SegmentBatch) -> Tensor:
        """Mean embedding of the segments of each clip, ``(clips, size)``."""
        mean, std = (scale.to(batch.segments.device) for scale in self._scales)
        values = (batch.segments.float() - mean) / std
        rows = self.network.extractor(values.contiguous(memory_format=torch.channels_last))
        return torch.stack([some.mean(dim=0) for some in rows.split(list(batch.lengths))])

    @torch.no_grad()
    def embed(self, clips: Sequence[Tensor]) -> Tensor:
        """Embeddings of whole clips, ``(clips, size)``, by a network in evaluation mode."""
        segments = LabeledSegments(clips, torch.zeros(len(clips), dtype=torch.long))
        return torch.cat([self.features(batch) for batch in whole_clips(segments)])


def whole_clips(segments: LabeledSegments) -> Iterator[SegmentBatch]:
    """Clips with all their segments, in order, in batches of bounded size."""
    batch: list[Tensor] = []
    start = 0
    for index, clip in enumerate(segments.clips):
        if batch and sum(map(len, batch)) + len(clip) > _SEGMENTS_AT_ONCE:
            yield _batch(batch, segments.labels[start:index])
            batch, start = [], index
        batch.append(clip)
    if batch:
        yield _batch(batch, segments.labels[start:])


def _batch(clips: Sequence[Tensor], labels: Tensor) -> SegmentBatch:
    return SegmentBatch(torch.cat(list(clips)), tuple(len(clip) for clip in clips), labels)


def _band_scales(clips: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each band, ``(bands, 1)``; all clips have the same weight."""
    means = torch.stack([clip.double().mean(dim=(0, 1, 3)) for clip in clips])
    squares = torch.stack([clip.double().square().mean(dim=(0, 1, 3)) for clip in clips])
    mean = means.mean(dim=0)
    std = (squares.mean(dim=0) - mean.square()).clamp_min(0).sqrt().clamp_min(1e-4)
    return mean.float()[:, None], std.float()[:, None]


@torch.no_grad()
def score_audio(
    task: AudioTask, test: LabeledSegments, speakers: Sequence[str], target: str
) -> dict[str, Any]:
    """Equal error rate of unseen speakers; also the accuracy if emotions are the labels.

    The interval of the rate is clustered by speaker, None for fewer than three speakers; that of
    the accuracy is exact over clips.
    """
    embeddings = task.embed(test.clips)
    low, high = error_rate_interval(embeddings.numpy(), speakers) or (None, None)
    scores: dict[str, Any] = {
        "equal_error_rate": equal_error_rate(embeddings.numpy(), speakers),
        "equal_error_rate_low": low,
        "equal_error_rate_high": high,
        "unseen_speakers": len(set(speakers)),
        "clips": len(speakers),
    }
    if target == "emotion":
        correct = task.network.fc(embeddings).argmax(dim=1) == test.labels
        hits, count = int(correct.sum()), len(correct)
        low, high = binomial_interval(hits, count)
        scores |= {"accuracy": hits / count, "low": low, "high": high}
    return scores
