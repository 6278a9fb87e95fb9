"""`TemporalNetwork` of Birhala et al. 2020: an audio-visual network per segment, and their sum.

For the segments n = 1 ... N of a clip, with a frame x_v and a window of audio x_a each::

    p_n = SoftMax(FC_n(Concatenate(F_v,n(x_v,n), F_a,n(x_a,n))))    Figure 2, `AudioVisualNetwork`
    p   = sum over n of p_n                                         Figure 1, `TemporalNetwork`
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from aver.models.data.batches import ClipSequences
from aver.models.data.clip_features import ClipFeature
from aver.models.layers.augmentation import ImageAugmentation, SpectrogramAugmentation
from aver.models.layers.encoder import Encoder, make_extractor
from aver.models.layers.normalization import FeatureMean, FeatureNorm, Standardize
from aver.models.temporal_aggregation.segments import Audio, Images, SegmentBatch
from aver.models.temporal_aggregation.settings import (
    SegmentBranchSettings,
    TemporalAggregationSettings,
)


class SegmentEncoder(Encoder):
    """``F_m``: the frames, or the windows, of segments to feature vectors.

    Parameters
    ----------
    settings : SegmentBranchSettings
    shape : tuple of int
        ``(channels, height, width)`` of an image, or ``(features,)`` of an embedding, which stays
        as it is.
    channels : sequence of int
        Of convolutional blocks.

    Notes
    -----
    Source: Birhala et al. 2020, section II and Figure 2, for the convolutional blocks; the other
    extractors are ours, with a batch norm, because their features have other scales. A batch in
    which a single clip has the modality has no variance: batch norms then use their running
    statistics, which are not updated.
    """

    def __init__(
        self, settings: SegmentBranchSettings, shape: tuple[int, ...], channels: Sequence[int]
    ) -> None:
        super().__init__(settings)
        self.norm: nn.Module = nn.Identity()
        if len(shape) == 1:
            self.extractor, self.size = nn.Identity(), shape[0]
            return
        self.extractor, self.size = make_extractor(settings, shape, channels)
        if settings.extractor != "conv-blocks":
            self.norm = FeatureNorm(self.size)

    @property
    def is_trained(self) -> bool:
        """Whether the extractor has anything to train."""
        return any(True for _ in self.extractor.parameters())

    def forward(self, images: Tensor) -> Tensor:
        """``(images, ...)`` to ``(images, size)``."""
        return self.norm(self.extract(images))

    def extract(self, images: Tensor) -> Tensor:
        """Features before the batch norm, ``(images, size)``."""
        if len(images) > 1 or not self.extractor.training:
            return self.extractor(images)
        features = self.extractor.eval()(images)
        self.extractor.train()
        return features


class AudioVisualNetwork(nn.Module):
    """``p = SoftMax(FC(Concatenate(F_v(x_v), F_a(x_a))))``.

    Parameters
    ----------
    branches : mapping of str to SegmentEncoder
        By modality.
    classes : int >= 2
    dropout : float in [0, 1)
        On the concatenated features.

    Notes
    -----
    Source: Birhala et al. 2020, section II, Figure 2.
    Differs from the paper: features of a modality that a clip lacks are replaced by their training
    mean.
    """

    def __init__(
        self, branches: Mapping[str, SegmentEncoder], classes: int, dropout: float
    ) -> None:
        super().__init__()
        self.branches: Mapping[str, SegmentEncoder] = nn.ModuleDict(branches)  # type: ignore[assignment]
        self.means = nn.ModuleDict({name: FeatureMean(b.size) for name, b in branches.items()})
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(sum(branch.size for branch in branches.values()), classes)

    def log_probabilities(
        self,
        features: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        used: Mapping[str, Tensor],
        only: Collection[str] | None = None,
    ) -> Tensor:
        """Logarithms of class probabilities.

        Parameters
        ----------
        features : mapping of str to Tensor [shape=(rows that have it, n)]
        present, used : mapping of str to Tensor of bool [shape=(rows,)]
            Rows that have the modality; rows that use it (the others use its mean).
        only : collection of str, optional
            Modalities to use; of the others the mean is taken.

        Returns
        -------
        Tensor [shape=(rows, classes)]
        """
        joined = [
            mean(
                features.get(name) if only is None or name in only else None,
                present[name],
                used[name],
            )
            for name, mean in self.means.items()
        ]
        scores = self.dense(self.dropout(torch.cat(joined, dim=1)))
        return torch.log_softmax(scores.float(), dim=1)


class TemporalNetwork(nn.Module):
    """``p = sum over n of p_n``: sums class probabilities over segments.

    Independent networks run one after the other, each on its own segment of all clips: on a CPU
    this is faster for convolutional blocks than one network on all segments at once, whose layers
    do not fit the cache. Extractors without parameters process all segments at once.

    Parameters
    ----------
    settings : TemporalAggregationSettings
    shapes : mapping of {"video", "audio"} to tuple of int
        Of a frame, ``(channels, height, width)`` or ``(features,)`` for embeddings, and of a column
        of the spectrogram, ``(bands,)``.
    classes : int >= 2

    Notes
    -----
    Source: Birhala et al. 2020, section II, Figure 1.
    Differs from the paper: it does not say how inputs are scaled. Images are standardized over the
    segments of their clip, embeddings and audio feature by feature over the training clips.
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
        self.networks: Sequence[AudioVisualNetwork] = nn.ModuleList(  # type: ignore[assignment]
            AudioVisualNetwork(
                {
                    name: SegmentEncoder(settings.branch(name), shape, settings.channels)
                    for name, shape in inputs.items()
                },
                classes,
                settings.dropout,
            )
            for _ in range(count)
        )
        # On a CPU, convolutions of small images are 1.5 times as fast in this layout.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def measure_inputs(
        self, video: ClipFeature[Images] | None, audio: ClipFeature[Audio] | None
    ) -> None:
        """Take the mean image, and the scales that all clips share, from the training clips."""
        if video is not None:
            together = torch.zeros_like(self.mean_image, dtype=torch.float64)
            for images in video.some:  # one clip at a time: crops of 224 px fill the memory
                together += images.frames[images.found].double().mean(dim=0)
            self.mean_image.copy_(together / len(video.some))
            if self.standardize_video.kind == "train":
                self.standardize_video.learn([one.frames[one.found] for one in video.some])
        if audio is not None and self.standardize_audio.kind == "train":
            self.standardize_audio.learn([one.columns.T[None, None] for one in audio.some])

    def forward(self, batch: SegmentBatch) -> Tensor:
        """Logarithms of the mean of the segments' class probabilities, ``(clips, classes)``."""
        return self.log_probabilities(batch, ())[""]

    def log_probabilities(self, batch: SegmentBatch, alone: Collection[str]) -> dict[str, Tensor]:
        """As `forward`, and the same from single modalities.

        Parameters
        ----------
        batch : SegmentBatch
        alone : collection of str
            Modalities to use one at a time; of the others the training mean is taken.

        Returns
        -------
        dict of str to Tensor [shape=(clips, classes)]
            By modality, and ``""`` for all of them.
        """
        segments = self.settings.segments
        inputs = {name: self._prepared(name, batch) for name in batch.inputs}
        present = dict(batch.present)
        used = self._used(batch)
        if len(self.networks) < segments:  # one network for all segments at once
            inputs = {name: images.flatten(0, 1)[None] for name, images in inputs.items()}
            present = {name: rows.repeat(segments) for name, rows in present.items()}
            used = {name: rows.repeat(segments) for name, rows in used.items()}
        logs: dict[str, list[Tensor]] = {name: [] for name in ("", *alone)}
        features = self._relative(self._features(inputs))
        for network, of_network in zip(self.networks, features, strict=True):
            for name in logs:
                only = (name,) if name else None
                logs[name].append(network.log_probabilities(of_network, present, used, only))
        return {name: self._mean(torch.cat(values)) for name, values in logs.items()}

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

    def _used(self, batch: SegmentBatch) -> dict[str, Tensor]:
        """Which clips use a modality: those that have it, except for modality dropout."""
        used = {name: rows.clone() for name, rows in batch.present.items()}
        share = self.settings.modality_dropout
        if not self.training or share == 0 or len(used) < 2:
            return used
        device = batch.labels.device
        dropped = (torch.rand(batch.clips) < share).to(device)
        which = torch.randint(len(used), (batch.clips,)).to(device)
        both = torch.stack(list(batch.present.values())).all(dim=0)
        for number, name in enumerate(used):
            used[name] &= ~(dropped & both & (which == number))
        return used

    def _features(self, inputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
        """Features by network and modality, ``(clips, size)``."""
        features: list[dict[str, Tensor]] = [{} for _ in self.networks]
        for name, images in inputs.items():
            encoders = [network.branches[name] for network in self.networks]
            if encoders[0].is_trained:
                extracted = [e.extract(rows) for e, rows in zip(encoders, images, strict=True)]
            else:
                together = encoders[0].extract(images.flatten(0, 1))
                extracted = list(together.unflatten(0, images.shape[:2]))
            for of_network, encoder, rows in zip(features, encoders, extracted, strict=True):
                of_network[name] = encoder.norm(rows)
        return features

    def _relative(self, features: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
        """Features less their mean over the clip's segments, for branches with that setting."""
        if self.settings.segments == 1:
            return features
        for name in features[0]:
            if self.settings.branch(name).relative:
                together = torch.cat([of_network[name] for of_network in features])
                by_segment = together.view(self.settings.segments, -1, together.shape[1])
                centered = (by_segment - by_segment.mean(dim=0)).view_as(together)
                chunks = centered.chunk(len(features))
                for of_network, rows in zip(features, chunks, strict=True):
                    of_network[name] = rows
        return features

    def _mean(self, logs: Tensor) -> Tensor:
        """Mean over segments of probabilities ``(segments * clips, classes)``, as logarithms."""
        by_segment = logs.view(self.settings.segments, -1, logs.shape[1])
        return torch.logsumexp(by_segment, dim=0) - math.log(self.settings.segments)
