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
from aver.models.parts.clip_frames import laid_out
from aver.models.parts.segment_draws import segment_edges


@dataclass(frozen=True)
class Pictures:
    """Pictures of one clip: ``frames`` uint8 (frames, channels, height, width) of crops, or float16
    (frames, features) of embeddings; their moments, and which of them show a face.
    """

    frames: Tensor
    times_s: Tensor
    found: Tensor


@dataclass(frozen=True)
class Sound:
    """The log-frequency spectrogram of one clip: ``columns`` float16 (moments, bands)."""

    columns: Tensor
    duration_s: float


@dataclass(frozen=True)
class SegmentClips:
    """Clips in order; None where a clip lacks the modality.

    Parameters
    ----------
    clip_ids : tuple of str
    pictures : tuple of Pictures or None
    sounds : tuple of Sound or None
    coverage : mapping of str to np.ndarray [shape=(clips,)]
        By modality.
    flags : tuple of tuple of str
        Per clip, what the features said and what the segments lack.
    """

    clip_ids: tuple[str, ...]
    pictures: tuple[Pictures | None, ...]
    sounds: tuple[Sound | None, ...]
    coverage: Mapping[str, np.ndarray]
    flags: tuple[tuple[str, ...], ...]

    def has(self, modality: str) -> np.ndarray:
        """Which clips have a modality, as bool ``(clips,)``."""
        held = self.pictures if modality == "video" else self.sounds
        return np.array([one is not None for one in held], dtype=bool)

    def last(self, count: int) -> SegmentClips:
        """The last `count` clips, which share their memory with these."""
        first = len(self.clip_ids) - count
        coverage = {modality: shares[first:] for modality, shares in self.coverage.items()}
        return SegmentClips(
            self.clip_ids[first:],
            self.pictures[first:],
            self.sounds[first:],
            coverage,
            self.flags[first:],
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of a picture, and of a column, of the modalities that any clip has."""
        found = {}
        for name, clips in (("video", self.pictures), ("sound", self.sounds)):
            some = next((clip for clip in clips if clip is not None), None)
            if some is not None:
                values = some.frames if isinstance(some, Pictures) else some.columns
                found[name] = tuple(values.shape[1:])
        return found


def load_segment_clips(
    clips: Sequence[Clip],
    features: Mapping[str, Feature],
    store: FeatureSource,
    *,
    segments: int,
    window_s: float,
    grey: bool,
) -> SegmentClips:
    """Ask the store for pictures and sound of all clips.

    Parameters
    ----------
    clips : sequence of Clip
    features : mapping of {"video", "sound"} to Feature
    store : FeatureSource
    segments : int >= 1
    window_s : float > 0
        Length of the window of sound, for the flag of clips that are shorter.
    grey : bool
        Turn colour pictures into grey ones.

    Raises
    ------
    ClipError
        If clips have fewer pictures than segments; it names all of them.
    """
    short: dict[str, str] = {}
    pictures: list[Pictures | None] = []
    sounds: list[Sound | None] = []
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
                shown = _pictures(arrays, grey)
                said += _picture_flags(shown, segments)
                if not shown.found.any():
                    shown = None
            elif record.arrays:
                columns = torch.from_numpy(record.arrays["columns"])
                heard = Sound(columns, float(record.arrays["duration_s"][0]))
                if heard.duration_s < window_s:
                    said.append("shorter than one window of sound")
        pictures.append(shown)
        sounds.append(heard)
        flags.append(tuple(dict.fromkeys(said)))
    if short:
        raise ClipError(short)
    ids = tuple(clip.clip_id for clip in clips)
    return SegmentClips(ids, tuple(pictures), tuple(sounds), coverage, tuple(flags))


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


def _pictures(arrays: Mapping[str, np.ndarray], grey: bool) -> Pictures:
    return Pictures(
        laid_out(arrays["crops"], grey),
        torch.from_numpy(arrays["times_s"].astype(np.float64)),
        torch.from_numpy(arrays["found"].astype(bool)),
    )


def _picture_flags(pictures: Pictures, segments: int) -> list[str]:
    if not pictures.found.any():
        return ["no face"]
    edges = segment_edges(len(pictures.found), segments).tolist()
    empty = sum(not bool(pictures.found[first:behind].any()) for first, behind in pairwise(edges))
    return [f"no face in {empty} of {segments} segments"] if empty else []
