"""`VoiceShelf`: segments of many clips, in memory as far as it goes, else read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from torch import Tensor

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.parts.clip_frames import load_clip_frames

KEPT_BYTES = 2_000_000_000  # of each part


class VoiceShelf(Sequence[Tensor]):
    """Segments ``(segments, 1, bands, columns)`` of each clip.

    A corpus of small size is read once; of one with a hundred thousand recordings the first that
    are asked for stay in memory, and the others are read from the cache each time.

    Parameters
    ----------
    clips : sequence of Clip
        With sound.
    feature : Feature
        ``spectrogram-segments``.
    store : FeatureSource
    kept_bytes : int
        How much may stay in memory.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        feature: Feature,
        store: FeatureSource,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self._clips, self._feature, self._store = tuple(clips), feature, store
        self._kept: dict[int, Tensor] = {}
        self._free_bytes = kept_bytes

    def __len__(self) -> int:
        return len(self._clips)

    @overload
    def __getitem__(self, place: int) -> Tensor: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, place: int | slice) -> Tensor | Sequence[Tensor]:
        """One clip's segments, or those of several."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        if place in self._kept:
            return self._kept[place]
        found = load_clip_frames([self._clips[place]], self._feature, self._store).frames[0]
        assert found is not None, "clips without sound are no voices"
        size_bytes = found.element_size() * found.nelement()
        if size_bytes <= self._free_bytes:
            self._kept[place] = found
            self._free_bytes -= size_bytes
        return found
