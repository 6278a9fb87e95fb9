"""`DerivedFeature`: a feature computed from another one instead of from files."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from aver.corpora.clip import Clip
from aver.features.feature import Feature, FeatureRecord


class DerivedFeature(Feature):
    """Subclass this where another feature already did the costly part.

    The store fetches the basis from the cache (or computes and keeps it) and hands it to `derive`,
    so that a video is never tracked twice. A derived feature's own settings must hold those of its
    basis, so that its key changes with them.
    """

    @property
    @abstractmethod
    def basis(self) -> Feature:
        """The feature to derive from."""

    @abstractmethod
    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Compute the arrays from the basis; `record` is never an absent one."""

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """As the basis has them."""
        return self.basis.paths(clip)

    def identity(self, clip: Clip) -> str:
        """As the basis has it, with its version."""
        return f"{self.basis.key}\n{self.basis.identity(clip)}"

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute basis and arrays without a cache."""
        return self.from_basis(self.basis.extract(clip))

    def from_basis(self, record: FeatureRecord) -> FeatureRecord:
        """Derive from a record of the basis, or pass on why it is absent."""
        return record if record.missing else self.derive(record)
