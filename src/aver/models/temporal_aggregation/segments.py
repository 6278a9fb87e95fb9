"""`SegmentClips`: pictures and sound of many clips in memory, as segments are drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from aver.corpora.clip import Clip
from aver.errors import ClipError
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.data.clip_frames import laid_out


@dataclass(frozen=True)
class SegmentBatch:
    """What one step looks at.

    Parameters
    ----------
    inputs : mapping of {"video", "audio"} to Tensor
        Clips that have the modality, one after the other: pictures uint8 ``(clips, segments,
        channels, height, width)`` or embeddings float16 ``(clips, segments, features)``, windows
        float16 ``(clips, segments, 1, bands, columns)``.
    blank : Tensor of bool [shape=(clips with pictures, segments)]
        Segments without a face; their pictures are to be replaced.
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
        """Clips in the batch."""
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


def segment_edges(frames: int, segments: int) -> Tensor:
    """First frame of each of several equal segments, and the frame behind the last.

    Where the frames cannot be shared evenly, segments differ by one frame at most.

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


def draw_frames(edges: Tensor, places: Tensor) -> Tensor:
    """One frame j in each segment.

    Source: Birhala et al. 2020, section II: "For each temporal segment, we randomly select a video
    frame j".

    Parameters
    ----------
    edges : Tensor of int64 [shape=(segments + 1,)]
        As `segment_edges` gives them.
    places : Tensor [shape=(segments,), range=0..1, 1 excluded]
        Where in its segment each frame lies: drawn evenly, or 1/2 for the middle.

    Examples
    --------
    >>> draw_frames(torch.tensor([0, 2, 5]), torch.tensor([0.9, 0.5])).tolist()
    [1, 3]
    """
    sizes = edges[1:] - edges[:-1]
    return edges[:-1] + torch.minimum((places * sizes).long(), sizes - 1)


def nearest_found(frames: Tensor, edges: Tensor, found: Tensor) -> Tensor:
    """Let a frame without a face give way to the nearest one with a face in the same segment.

    Parameters
    ----------
    frames : Tensor of int64 [shape=(segments,)]
    edges : Tensor of int64 [shape=(segments + 1,)]
    found : Tensor of bool [shape=(frames of the clip,)]

    Returns
    -------
    Tensor of int64 [shape=(segments,)]
        -1 where no frame of the segment shows a face; of two equally near ones the earlier.

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
        first, behind = int(edges[segment]), int(edges[segment + 1])
        with_face = first + torch.nonzero(found[first:behind]).flatten()
        if len(with_face) == 0:
            chosen[segment] = -1
        else:
            chosen[segment] = with_face[(with_face - frame).abs().argmin()]
    return chosen


def window_starts(
    moments_s: Tensor,
    places: Tensor,
    *,
    asynchrony_s: float,
    window_s: float,
    duration_s: float,
    offset_s: float = 0.0,
) -> Tensor:
    """Where the window of sound of each segment starts.

    The centre c lies in ``[j/r_v - b, j/r_v + b]`` and is clamped so that the window stays inside
    the clip; in a clip shorter than the window it starts at 0.

    Source: Birhala et al. 2020, section II. The clamping is ours.

    Parameters
    ----------
    moments_s : Tensor [shape=(segments,)]
        Of the pictures, ``j / r_v``.
    places : Tensor [shape=(segments,), range=0..1]
        Where between the two bounds each centre lies: drawn evenly, or 1/2 for the moment itself.
    asynchrony_s : float >= 0
        The paper's b.
    window_s : float > 0
        The paper's d.
    duration_s : float > 0
        Of the clip's sound.
    offset_s : float
        Added to every centre: how much later than the pictures the sound is taken.

    Examples
    --------
    >>> moments_s, middle = torch.tensor([0.0, 1.0, 2.9]), torch.full((3,), 0.5)
    >>> window_starts(moments_s, middle, asynchrony_s=0.01, window_s=1.0, duration_s=3.0).tolist()
    [0.0, 0.5, 2.0]
    """
    centers = moments_s.double() + offset_s + (2 * places.double() - 1) * asynchrony_s
    return (centers - window_s / 2).clamp(0.0, max(0.0, duration_s - window_s))


@dataclass(frozen=True)
class Images:
    """Pictures of one clip: ``frames`` uint8 (frames, channels, height, width) of crops, or float16
    (frames, features) of embeddings; their moments, and which of them show a face.
    """

    frames: Tensor
    times_s: Tensor
    found: Tensor


@dataclass(frozen=True)
class Audio:
    """The log-frequency spectrogram of one clip: ``columns`` float16 (moments, bands)."""

    columns: Tensor
    duration_s: float


@dataclass(frozen=True)
class SegmentClips:
    """Clips in order; None where a clip lacks the modality.

    Parameters
    ----------
    clip_ids : tuple of str
    images : tuple of Pictures or None
    audio_tracks : tuple of Sound or None
    coverage : mapping of str to np.ndarray [shape=(clips,)]
        By modality.
    flags : tuple of tuple of str
        Per clip, what the features said and what the segments lack.
    """

    clip_ids: tuple[str, ...]
    images: tuple[Images | None, ...]
    audio_tracks: tuple[Audio | None, ...]
    coverage: Mapping[str, np.ndarray]
    flags: tuple[tuple[str, ...], ...]

    def has(self, modality: str) -> np.ndarray:
        """Which clips have a modality, as bool ``(clips,)``."""
        held = self.images if modality == "video" else self.audio_tracks
        return np.array([one is not None for one in held], dtype=bool)

    def last(self, count: int) -> SegmentClips:
        """The last `count` clips, which share their memory with these."""
        first = len(self.clip_ids) - count
        coverage = {modality: shares[first:] for modality, shares in self.coverage.items()}
        return SegmentClips(
            self.clip_ids[first:],
            self.images[first:],
            self.audio_tracks[first:],
            coverage,
            self.flags[first:],
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of a picture, and of a column, of the modalities that any clip has."""
        found = {}
        for name, clips in (("video", self.images), ("audio", self.audio_tracks)):
            some = next((clip for clip in clips if clip is not None), None)
            if some is not None:
                values = some.frames if isinstance(some, Images) else some.columns
                found[name] = tuple(values.shape[1:])
        return found


def load_segment_clips(
    clips: Sequence[Clip],
    features: Mapping[str, Feature],
    store: FeatureSource,
    *,
    segments: int,
    window_s: float,
    gray: bool,
) -> SegmentClips:
    """Ask the store for pictures and sound of all clips.

    Parameters
    ----------
    clips : sequence of Clip
    features : mapping of {"video", "audio"} to Feature
    store : FeatureSource
    segments : int >= 1
    window_s : float > 0
        Length of the window of sound, for the flag of clips that are shorter.
    gray : bool
        Turn colour pictures into grey ones.

    Raises
    ------
    ClipError
        If clips have fewer pictures than segments; it names all of them.
    """
    short: dict[str, str] = {}
    images: list[Images | None] = []
    audio_tracks: list[Audio | None] = []
    flags: list[tuple[str, ...]] = []
    coverage = {modality: np.zeros(len(clips)) for modality in features}
    for place, clip in enumerate(clips):
        said: list[str] = []
        shown, heard = None, None
        for modality, feature in features.items():
            record = store.get(clip, feature)
            coverage[modality][place] = record.coverage
            said += [*record.flags, *([record.missing] if record.missing else [])]
            if record.arrays and modality == "video":
                arrays = _with_moments(clip, feature, record.arrays, store)
                if len(arrays["found"]) < segments:
                    short[clip.clip_id] = _too_short(clip, len(arrays["found"]), segments)
                    continue
                shown = _images(arrays, gray)
                said += _image_flags(shown, segments)
                if not shown.found.any():
                    shown = None
            elif record.arrays:
                columns = torch.from_numpy(record.arrays["columns"])
                heard = Audio(columns, float(record.arrays["duration_s"][0]))
                if heard.duration_s < window_s:
                    said.append("shorter than one window of sound")
        images.append(shown)
        audio_tracks.append(heard)
        flags.append(tuple(dict.fromkeys(said)))
    if short:
        raise ClipError(short)
    ids = tuple(clip.clip_id for clip in clips)
    return SegmentClips(ids, tuple(images), tuple(audio_tracks), coverage, tuple(flags))


def _with_moments(
    clip: Clip, feature: Feature, arrays: Mapping[str, np.ndarray], store: FeatureSource
) -> Mapping[str, np.ndarray]:
    """Arrays of face crops as they are; embeddings, of pictures with a face, laid out by moment."""
    if not isinstance(feature, FaceEmbeddings):
        return arrays
    known = store.get(clip, feature.basis).arrays
    embeddings = arrays["embeddings"]
    rows = np.zeros((len(known["found"]), embeddings.shape[1]), embeddings.dtype)
    rows[known["found"].astype(bool)] = embeddings
    return {"crops": rows, "times_s": known["times_s"], "found": known["found"]}


def _too_short(clip: Clip, count: int, segments: int) -> str:
    return (
        f"Clip {clip.clip_id!r} has {count} pictures and cannot be cut in {segments} segments. "
        "Choose fewer segments, a higher rate_hz of the pictures, or leave the clip out."
    )


def _images(arrays: Mapping[str, np.ndarray], gray: bool) -> Images:
    return Images(
        laid_out(arrays["crops"], gray),
        torch.from_numpy(arrays["times_s"].astype(np.float64)),
        torch.from_numpy(arrays["found"].astype(bool)),
    )


def _image_flags(images: Images, segments: int) -> list[str]:
    if not images.found.any():
        return ["no face"]
    edges = segment_edges(len(images.found), segments).tolist()
    empty = sum(not bool(images.found[first:behind].any()) for first, behind in pairwise(edges))
    return [f"no face in {empty} of {segments} segments"] if empty else []
