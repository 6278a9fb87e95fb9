"""`TemporalNetwork`: an audio-visual network per segment, and the sum of their probabilities."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from aver.models.data.clip_frames import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation, SpectrogramAugmentation
from aver.models.layers.normalization import FeatureMean, Standardize
from aver.models.temporal_aggregation.extractor import SegmentExtractor
from aver.models.temporal_aggregation.segments import SegmentBatch, SegmentClips
from aver.models.temporal_aggregation.settings import TemporalAggregationSettings


class AudioVisualNetwork(nn.Module):
    """An extractor per modality, joined, then one dense layer.

    Parameters
    ----------
    extractors : mapping of str to SegmentExtractor
        By modality.
    classes : int >= 2
    dropout : float in [0, 1)
        On the joined features.

    Notes
    -----
    Source: Birhala et al. 2020, section II, Figure 2.
    Differs from the paper: features of a modality that a clip lacks are replaced by their training
    mean.
    """

    def __init__(
        self, extractors: Mapping[str, SegmentExtractor], classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.extractors = nn.ModuleDict(extractors)
        self.means = nn.ModuleDict({name: FeatureMean(e.size) for name, e in extractors.items()})
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(sum(e.size for e in extractors.values()), classes)

    def extractor(self, modality: str) -> SegmentExtractor:
        """What reads a modality."""
        found = self.extractors[modality]
        assert isinstance(found, SegmentExtractor)
        return found

    def log_probabilities(
        self,
        features: Mapping[str, Tensor],
        has: Mapping[str, Tensor],
        kept: Mapping[str, Tensor],
        only: Collection[str] | None = None,
    ) -> Tensor:
        """Logarithms of class probabilities.

        Parameters
        ----------
        features : mapping of str to Tensor [shape=(rows that have it, n)]
        has, kept : mapping of str to Tensor of bool [shape=(rows,)]
            Rows that have the modality; rows that shall show it.
        only : collection of str, optional
            Modalities to listen to; the others show their mean.

        Returns
        -------
        Tensor [shape=(rows, classes)]
        """
        joined = [
            mean(
                features.get(name) if only is None or name in only else None, has[name], kept[name]
            )
            for name, mean in self.means.items()
        ]
        scores = self.dense(self.dropout(torch.cat(joined, dim=1)))
        return torch.log_softmax(scores.float(), dim=1)


class TemporalNetwork(nn.Module):
    """Sums class probabilities over segments.

    Independent networks run one after the other, each on its own segment of all clips: on a CPU
    convolutional blocks so cost less than one network on all segments at once, whose layers outgrow
    the cache. What has nothing to learn reads all segments at once.

    Parameters
    ----------
    settings : TemporalAggregationSettings
    shapes : mapping of {"video", "audio"} to tuple of int
        Of a picture, ``(channels, height, width)`` or ``(features,)`` for embeddings, and of a
        column of sound, ``(bands,)``.
    classes : int >= 2

    Notes
    -----
    Source: Birhala et al. 2020, section II, Figure 1.
    Differs from the paper: it does not say how inputs are scaled. Pictures are standardised over
    the segments of their clip, embeddings and sound feature by feature over the training clips.
    """

    mean_image: Tensor

    def __init__(
        self,
        settings: TemporalAggregationSettings,
        shapes: Mapping[str, tuple[int, ...]],
        classes: int,
    ) -> None:
        super().__init__()
        self.settings = settings
        inputs: dict[str, tuple[int, ...]] = {}
        if "video" in settings.modalities:
            inputs["video"] = shapes["video"]
            self.register_buffer("mean_image", torch.zeros(shapes["video"]))
            standard = "train" if len(shapes["video"]) == 1 else "clip"
            self.standardize_video = Standardize(standard, shapes["video"][-1])
            self.augment_video = ImageAugmentation(settings.image_augmentation)
        if "audio" in settings.modalities:
            (bands,) = shapes["audio"]
            inputs["audio"] = 1, bands, settings.column_count
            self.standardize_audio = Standardize(settings.standardize_audio, bands)
            self.augment_audio = SpectrogramAugmentation(settings.spectrogram_augmentation)
        count = settings.segments if settings.weights == "independent" else 1
        self.networks = nn.ModuleList(
            AudioVisualNetwork(
                {
                    name: SegmentExtractor(settings.extractor(name), shape, settings.channels)
                    for name, shape in inputs.items()
                },
                classes,
                settings.dropout,
            )
            for _ in range(count)
        )
        # Convolutions of small images on a CPU run half as fast again in this layout.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def load_pretrained(self) -> None:
        """Start every extractor for which the settings name weights from them.

        Raises
        ------
        CheckpointError
            If there are none of that name, or they do not fit.
        """
        for network in self.networks:
            assert isinstance(network, AudioVisualNetwork)
            for name, extractor in network.extractors.items():
                assert isinstance(extractor, SegmentExtractor)
                pretrained = self.settings.extractor(name).pretrained
                if pretrained:
                    extractor.load_pretrained(pretrained)

    @torch.no_grad()
    def learn_inputs(self, clips: SegmentClips) -> None:
        """Measure the training clips: the mean picture, and scales that all clips share."""
        if "video" in self.settings.modalities:
            shown = [images for images in clips.images if images is not None]
            together = torch.zeros_like(self.mean_image, dtype=torch.float64)
            for images in shown:  # one clip at a time: crops of 224 px fill the memory
                together += images.frames[images.found].double().mean(dim=0)
            self.mean_image.copy_(together / len(shown))
            if self.standardize_video.kind == "train":
                self.standardize_video.learn([p.frames[p.found] for p in shown])
        if "audio" in self.settings.modalities and self.standardize_audio.kind == "train":
            self.standardize_audio.learn(
                [s.columns.T[None, None] for s in clips.audio_tracks if s is not None]
            )

    def forward(self, batch: SegmentBatch) -> Tensor:
        """Logarithms of the mean of the segments' class probabilities, ``(clips, classes)``."""
        return self.predictions(batch, ())[""]

    def predictions(self, batch: SegmentBatch, alone: Collection[str]) -> dict[str, Tensor]:
        """As `forward`, and the same from single modalities.

        Parameters
        ----------
        batch : SegmentBatch
        alone : collection of str
            Modalities to listen to one at a time, the others showing their training mean.

        Returns
        -------
        dict of str to Tensor [shape=(clips, classes)]
            By modality, and ``""`` for all of them.
        """
        inputs = {name: self._prepared(name, batch) for name in batch.inputs}
        has = dict(batch.present)
        kept = self._kept(batch)
        found: dict[str, list[Tensor]] = {name: [] for name in ("", *alone)}
        if len(self.networks) < self.settings.segments:  # one for all segments at once
            segments = self.settings.segments
            inputs = {name: images.flatten(0, 1)[None] for name, images in inputs.items()}
            has = {name: rows.repeat(segments) for name, rows in has.items()}
            kept = {name: rows.repeat(segments) for name, rows in kept.items()}
        networks = [network for network in self.networks if isinstance(network, AudioVisualNetwork)]
        features = _features(networks, inputs)
        for network, known in zip(networks, self._relative(features), strict=True):
            for name in found:
                only = (name,) if name else None
                found[name].append(network.log_probabilities(known, has, kept, only))
        return {name: self._summed(torch.cat(parts)) for name, parts in found.items()}

    def _relative(self, features: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
        """Features by network, less their mean over the clip's segments where that is wanted."""
        if self.settings.segments == 1:
            return features
        for name in features[0]:
            if self.settings.extractor(name).relative:
                together = torch.cat([known[name] for known in features])
                by_segment = together.view(self.settings.segments, -1, together.shape[1])
                centered = (by_segment - by_segment.mean(dim=0)).view_as(together)
                for known, rows in zip(features, centered.chunk(len(features)), strict=True):
                    known[name] = rows
        return features

    def _summed(self, logs: Tensor) -> Tensor:
        """Mean over segments of probabilities ``(segments * clips, classes)``, as logarithms."""
        by_segment = logs.view(self.settings.segments, -1, logs.shape[1])
        return torch.logsumexp(by_segment, dim=0) - math.log(self.settings.segments)

    def _prepared(self, modality: str, batch: SegmentBatch) -> Tensor:
        """Inputs ``(segments, clips that have the modality, ...)``."""
        values = batch.inputs[modality].float()
        clips, segments = values.shape[:2]
        sequences = ClipSequences(
            values.flatten(0, 1), (segments,) * clips, batch.present[modality]
        )
        frames = sequences.frames
        if modality == "video":
            blank = batch.blank.flatten().view(-1, *[1] * (frames.ndim - 1))
            frames = torch.where(blank, self.mean_image, frames)
            frames = self.standardize_video(frames, sequences)
            if frames.ndim == 4:
                frames = self.augment_video(frames, sequences)
        else:
            frames = self.augment_audio(self.standardize_audio(frames, sequences), sequences)
        return frames.view(values.shape).transpose(0, 1).contiguous()

    def _kept(self, batch: SegmentBatch) -> dict[str, Tensor]:
        """Which clips show a modality: those that have it, but for modality dropout."""
        kept = {name: rows.clone() for name, rows in batch.present.items()}
        share = self.settings.modality_dropout
        if not self.training or share == 0 or len(kept) < 2:
            return kept
        device = batch.labels.device
        dropped = (torch.rand(batch.clips) < share).to(device)
        which = torch.randint(len(kept), (batch.clips,)).to(device)
        both = torch.stack(list(batch.present.values())).all(dim=0)
        for place, name in enumerate(kept):
            kept[name] &= ~(dropped & both & (which == place))
        return kept


def _features(
    networks: Sequence[AudioVisualNetwork], inputs: Mapping[str, Tensor]
) -> list[dict[str, Tensor]]:
    """What each network reads in its segment; where nothing is learnt in reading, all at once."""
    features: list[dict[str, Tensor]] = [{} for _ in networks]
    for name, images in inputs.items():
        extractors = [network.extractor(name) for network in networks]
        if extractors[0].learns:
            read = [one.read(rows) for one, rows in zip(extractors, images, strict=True)]
        else:
            together = extractors[0].read(images.flatten(0, 1))
            read = list(together.unflatten(0, images.shape[:2]))
        for known, extractor, rows in zip(features, extractors, read, strict=True):
            known[name] = extractor.norm(rows)
    return features
