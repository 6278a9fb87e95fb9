"""`FaceEmbeddings`: what a pretrained face network makes of each picture of the face."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.features.face_crops import FaceCrops
from aver.features.feature import DerivedFeature, FeatureRecord


@dataclass(frozen=True)
class FaceEmbeddings(DerivedFeature):
    """One vector per picture with a face, by a network pretrained on pictures of faces.

    Array: ``embeddings`` float16 (frames with a face, size of the network).

    Parameters
    ----------
    crops : FaceCrops or mapping
        What to look at.
    weights : str
        A name of `aver list weights`, a run folder of `aver pretrain visual`, or its file.

    Raises
    ------
    CheckpointError
        If there are no such weights, or shipped ones were changed.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.2, a visual extractor that starts from FER2013.
    Differs from the paper: the extractor is not trained further, so that its output can be kept.
    """

    crops: FaceCrops = field(default_factory=lambda: FaceCrops(size_px=64, rate_hz=6.0))
    weights: str = "faces-fer2013"

    name = "face-embeddings"
    modality = "video"
    source = "Chang & Skarbek (2021), section 4.2; FER2013"
    effort = 32.0
    file_settings = (*FaceCrops.file_settings, "weights")

    def __post_init__(self) -> None:
        if isinstance(self.crops, Mapping):
            settings: Mapping[str, Any] = self.crops
            object.__setattr__(self, "crops", FaceCrops(**settings))

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of the network that embeds."""
        return (self.weights,)

    @property
    def rate_hz(self) -> float:
        """Embeddings a second, while there is a face."""
        return self.crops.rate_hz

    @property
    def basis(self) -> FaceCrops:
        """The crops to look at."""
        return self.crops

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video and the network's weights: their content counts, not their names."""
        from aver.networks.pretrained import find_weights

        basis = self.basis.paths(clip)
        return (*basis, find_weights(self.weights)) if basis else ()

    def identity(self, clip: Clip) -> str:
        """As the crops have it, with the size at which the network looks at them."""
        from aver.networks.face_network import face_facts
        from aver.networks.pretrained import find_weights

        facts = face_facts(find_weights(self.weights))
        return f"{super().identity(clip)}\n{json.dumps(facts, sort_keys=True)}"

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Embed every picture with a face."""
        from aver.networks.face_network import face_network
        from aver.networks.pretrained import find_weights

        crops = record.arrays["crops"][record.arrays["found"]]
        network = face_network(find_weights(self.weights))
        return FeatureRecord(
            arrays={"embeddings": network.embed(crops).astype(np.float16)},
            coverage=record.coverage,
            flags=record.flags,
        )
