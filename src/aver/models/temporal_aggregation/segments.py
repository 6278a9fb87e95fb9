"""`SegmentSampler`: cuts clips into segments, each with one frame and one window of audio.

Birhala et al. 2020, section II: a clip is divided into N equal segments. In each, a frame j is
drawn, and an audio window of d seconds around a center c that is drawn from
``[j/r_v - b, j/r_v + b]``, with the frame rate r_v.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from aver.models.data.clip_features import ClipFeature
from aver.models.data.sampler import Sampler
from aver.training.seeding import derived_seed


def segment_edges(frames: int, segments: int) -> Tensor:
    """First frame of each of N equal segments, and the frame after the last.

    If the frames cannot be divided evenly, segments differ by one frame at most.

    Parameters
    ----------
    frames : int
    segments : int in [1, frames]

    Returns
    -------
    Tensor of int64 [shape=(segments + 1,)]

    Examples
    --------
    >>> segment_edges(10, 4).tolist()
    [0, 2, 5, 7, 10]
    """
    return torch.arange(segments + 1) * frames // segments


def draw_frames(edges: Tensor, positions: Tensor) -> Tensor:
    """One frame j in each segment.

    Source: Birhala et al. 2020, section II: "For each temporal segment, we randomly select a video
    frame j".

    Parameters
    ----------
    edges : Tensor of int64 [shape=(segments + 1,)]
        As `segment_edges` gives them.
    positions : Tensor [shape=(segments,), range=0..1, 1 excluded]
        Position of each frame in its segment: drawn uniformly, or 1/2 for the middle.

    Examples
    --------
    >>> draw_frames(torch.tensor([0, 2, 5]), torch.tensor([0.9, 0.5])).tolist()
    [1, 3]
    """
    sizes = edges[1:] - edges[:-1]
    return edges[:-1] + torch.minimum((positions * sizes).long(), sizes - 1)


def nearest_found(frames: Tensor, edges: Tensor, found: Tensor) -> Tensor:
    """Replace a frame without a face by the nearest one with a face in the same segment.

    Parameters
    ----------
    frames : Tensor of int64 [shape=(segments,)]
    edges : Tensor of int64 [shape=(segments + 1,)]
    found : Tensor of bool [shape=(frames of the clip,)]

    Returns
    -------
    Tensor of int64 [shape=(segments,)]
        -1 if no frame of the segment shows a face; of two equally near frames the earlier.

    Examples
    --------
    >>> found = torch.tensor([False, True, False, False, False])
    >>> nearest_found(torch.tensor([0, 4]), torch.tensor([0, 2, 5]), found).tolist()
    [1, -1]
    """
    if bool(found[frames].all()):
        return frames
    chosen = frames.clone()
    for segment, frame in enumerate(frames.tolist()):
        first, after = int(edges[segment]), int(edges[segment + 1])
        with_face = first + torch.nonzero(found[first:after]).flatten()
        if len(with_face) == 0:
            chosen[segment] = -1
        else:
            chosen[segment] = with_face[(with_face - frame).abs().argmin()]
    return chosen


def window_starts(
    times_s: Tensor,
    positions: Tensor,
    *,
    asynchrony_s: float,
    window_s: float,
    duration_s: float,
    offset_s: float = 0.0,
) -> Tensor:
    """Start of the audio window of each segment.

    The center c lies in ``[j/r_v - b, j/r_v + b]`` and is clamped so that the window stays inside
    the clip; in a clip shorter than the window it starts at 0.

    Source: Birhala et al. 2020, section II. The clamping is ours.

    Parameters
    ----------
    times_s : Tensor [shape=(segments,)]
        Of the frames, ``j / r_v``.
    positions : Tensor [shape=(segments,), range=0..1]
        Position of each center between the two bounds: drawn uniformly, or 1/2 for j / r_v.
    asynchrony_s : float >= 0
        The paper's b.
    window_s : float > 0
        The paper's d.
    duration_s : float > 0
        Of the clip's audio.
    offset_s : float
        Added to every center: how much later than the frames the audio is taken.

    Examples
    --------
    >>> times_s, middle = torch.tensor([0.0, 1.0, 2.9]), torch.full((3,), 0.5)
    >>> window_starts(times_s, middle, asynchrony_s=0.01, window_s=1.0, duration_s=3.0).tolist()
    [0.0, 0.5, 2.0]
    """
    centers = times_s.double() + offset_s + (2 * positions.double() - 1) * asynchrony_s
    return (centers - window_s / 2).clamp(0.0, max(0.0, duration_s - window_s))


MOMENTS_PER_COLUMN = 4
"""A window starts on a grid four times as fine as its columns: 2.7 ms for 1.28 s in 120 columns."""


@dataclass(frozen=True)
class SegmentRule:
    """How segments are drawn.

    Parameters
    ----------
    segments : int >= 1
        The paper's N.
    window_s : float > 0
        The paper's d.
    column_count : int >= 1
        Columns of a window.
    asynchrony_s : float >= 0
        The paper's b.
    offset_s : float
        How much later than the frames the audio is taken.
    """

    segments: int
    window_s: float
    column_count: int
    asynchrony_s: float
    offset_s: float = 0.0

    @property
    def grid_s(self) -> float:
        """Time step of the spectrogram that windows are cut from."""
        return self.window_s / self.column_count / MOMENTS_PER_COLUMN


@dataclass(frozen=True)
class Images:
    """Frames of one clip.

    Parameters
    ----------
    frames : Tensor
        Crops ``(frames, channels, height, width)`` uint8, or embeddings ``(frames, features)``
        float16.
    times_s : Tensor [shape=(frames,)]
    found : Tensor of bool [shape=(frames,)]
        Which frames show a face.
    """

    frames: Tensor
    times_s: Tensor
    found: Tensor


@dataclass(frozen=True)
class Audio:
    """Log-frequency spectrogram of one clip.

    Parameters
    ----------
    columns : Tensor of float16 [shape=(moments, bands)]
    duration_s : float
    """

    columns: Tensor
    duration_s: float


@dataclass(frozen=True)
class SegmentBatch:
    """Segments of several clips.

    Parameters
    ----------
    inputs : mapping of {"video", "audio"} to Tensor
        Clips that have the modality, one after the other: crops uint8 ``(clips, segments,
        channels, height, width)`` or embeddings float16 ``(clips, segments, features)``, windows
        float16 ``(clips, segments, 1, bands, columns)``.
    blank : Tensor of bool [shape=(clips with video, segments)]
        Segments without a face; their frames are to be replaced.
    present : mapping of str to Tensor of bool [shape=(clips,)]
        Which clips have the modality.
    labels : Tensor of int64 [shape=(clips,)]
        -1 for unknown.
    """

    inputs: Mapping[str, Tensor]
    blank: Tensor
    present: Mapping[str, Tensor]
    labels: Tensor

    @property
    def clips(self) -> int:
        """Number of clips."""
        return len(self.labels)

    @property
    def usable(self) -> Tensor:
        """Which clips have any modality, as bool ``(clips,)``."""
        return torch.stack(list(self.present.values())).any(dim=0)

    def to(self, device: torch.device | str) -> SegmentBatch:
        """The same on a device."""
        return SegmentBatch(
            {name: values.to(device) for name, values in self.inputs.items()},
            self.blank.to(device),
            {name: values.to(device) for name, values in self.present.items()},
            self.labels.to(device),
        )


@dataclass(frozen=True, kw_only=True)
class SegmentSampler(Sampler[SegmentBatch]):
    """Draws segments of clips.

    Parameters
    ----------
    labels, batch_size
        See `Sampler`; labels of the target ``"emotion"``.
    clip_ids : tuple of str
    loaded : mapping of {"video", "audio"} to ClipFeature
        Of `Images` and `Audio`, for the same clips.
    rule : SegmentRule
    draw : int, optional
        Number of the random draw for evaluation; it depends on the clip only, not on the batch.
        Without it the middle of every segment is taken.

    Notes
    -----
    Source: Birhala et al. 2020, section II.
    Differs from the paper: windows start on a grid of a quarter of a column, at most an eighth of a
    column (1.3 ms for the paper's sizes) away from where they were drawn. For a clip without video,
    times are drawn uniformly in each segment of its audio in place of j / r_v.
    """

    clip_ids: tuple[str, ...]
    loaded: Mapping[str, ClipFeature[Any]]
    rule: SegmentRule
    draw: int | None = None

    def _training_batch(self, chosen: Tensor, generator: torch.Generator) -> SegmentBatch:
        shape = len(chosen), self.rule.segments, 2
        return self._segments(chosen, torch.rand(shape, generator=generator))

    def _batch(self, chosen: Tensor) -> SegmentBatch:
        if self.draw is None:
            return self._segments(chosen, torch.full((len(chosen), self.rule.segments, 2), 0.5))
        generator, positions = torch.Generator(), []
        for clip in chosen.tolist():
            generator.manual_seed(derived_seed(self.draw, "segments", self.clip_ids[clip]))
            positions.append(torch.rand(self.rule.segments, 2, generator=generator))
        return self._segments(chosen, torch.stack(positions))

    def _segments(self, chosen: Tensor, positions: Tensor) -> SegmentBatch:
        """Segments at these positions, for the frame and for the window: (clips, segments, 2)."""
        images: list[Tensor] = []
        blank: list[Tensor] = []
        windows: list[Tensor] = []
        for clip, drawn in zip(chosen.tolist(), positions, strict=True):
            video: Images | None = self._value("video", clip)
            audio: Audio | None = self._value("audio", clip)
            if video is not None:
                frames, times_s = self._frames(video, drawn[:, 0])
                images.append(video.frames[frames.clamp_min(0)])
                blank.append(frames < 0)
            else:
                duration_s = audio.duration_s if audio is not None else 0.0
                segments = torch.arange(self.rule.segments)
                times_s = (segments + drawn[:, 0].double()) * duration_s / self.rule.segments
            if audio is not None:
                windows.append(self._windows(audio, times_s, drawn[:, 1]))
        inputs = {"video": images, "audio": windows}
        return SegmentBatch(
            inputs={name: torch.stack(inputs[name]) for name in self.loaded if inputs[name]},
            blank=torch.stack(blank) if blank else torch.zeros(0, self.rule.segments).bool(),
            present={
                name: torch.from_numpy(found.present)[chosen] for name, found in self.loaded.items()
            },
            labels=self.labels["emotion"][chosen],
        )

    def _value(self, modality: str, clip: int) -> Any:
        return self.loaded[modality].values[clip] if modality in self.loaded else None

    def _frames(self, video: Images, positions: Tensor) -> tuple[Tensor, Tensor]:
        """A frame of each segment, -1 if none shows a face, and the times of all."""
        edges = segment_edges(len(video.found), self.rule.segments)
        drawn = draw_frames(edges, positions)
        frames = nearest_found(drawn, edges, video.found)
        return frames, video.times_s[torch.where(frames < 0, drawn, frames)]

    def _windows(self, audio: Audio, times_s: Tensor, positions: Tensor) -> Tensor:
        """Windows ``(segments, 1, bands, columns)``, zero after the end of a short clip."""
        rule = self.rule
        starts_s = window_starts(
            times_s,
            positions,
            asynchrony_s=rule.asynchrony_s,
            window_s=rule.window_s,
            duration_s=audio.duration_s,
            offset_s=rule.offset_s,
        )
        half_column = MOMENTS_PER_COLUMN // 2
        first = (starts_s / rule.grid_s).round().long() + half_column  # (segments,)
        steps = MOMENTS_PER_COLUMN * torch.arange(rule.column_count)
        moments = first[:, None] + steps  # (segments, columns)
        last = len(audio.columns) - 1
        windows = audio.columns[moments.clamp_max(last)]  # (segments, columns, bands)
        if int(moments.max()) > last:
            windows = windows.masked_fill((moments > last)[..., None], 0.0)
        return windows.transpose(1, 2)[:, None]
