"""`FaceEmbeddings`: the output of a pretrained face network for each frame with a face."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.features.face_crops import FaceCrops, FaceFeature
from aver.features.feature import FeatureRecord
from aver.settings import settings

_BLOCK = 1024  # images; a multiple of the network's own batches, which decide the rounding


@settings
class FaceEmbeddings(FaceFeature):
    """One vector per frame with a face, by a network pretrained on images of faces.

    Array: ``embeddings`` float16 (frames with a face, size of the network).

    Parameters
    ----------
    crops : FaceCrops or mapping
        The images that are embedded.
    weights : str
        A name of `aver list weights`, a run folder of `aver pretrain video`, or its file.

    Raises
    ------
    CheckpointError
        If there are no such weights, or shipped ones were changed.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.2, a visual extractor that starts from FER2013.
    Differs from the paper: the extractor is not trained further, so that its output can be cached.
    """

    crops: FaceCrops = field(default_factory=lambda: FaceCrops(size_px=64, rate_hz=6.0))
    weights: str = "faces-fer2013"

    name = "face-embeddings"
    source = "Chang & Skarbek (2021), section 4.2; FER2013"
    effort = 32.0
    file_settings = (*FaceCrops.file_settings, "weights")

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Of the network that embeds."""
        return (self.weights,)

    @property
    def frames_in_1_s(self) -> int:
        """That of the crops."""
        return self.crops.frames_in_1_s

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video and the network's weights: their content counts, not their names."""
        from aver.networks.pretrained import find_weights

        basis = super().paths(clip)
        return (*basis, find_weights(self.weights)) if basis else ()

    def identity(self, clip: Clip) -> str:
        """Identity of the crops, and the facts of the network, such as its input size."""
        from aver.networks.face_network import face_facts
        from aver.networks.pretrained import find_weights

        facts = face_facts(find_weights(self.weights))
        return f"{super().identity(clip)}\n{json.dumps(facts, sort_keys=True)}"

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Embed every frame with a face, in blocks: a long video's crops are not copied."""
        crops, rows = record.arrays["crops"], np.flatnonzero(record.arrays["found"])
        parts = [
            self.from_faces(crops[rows[start : start + _BLOCK]])["embeddings"]
            for start in range(0, len(rows), _BLOCK)
        ]
        return FeatureRecord(
            {"embeddings": np.concatenate(parts)}, record.coverage, flags=record.flags
        )

    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Embed every frame with a face."""
        from aver.networks.face_network import face_network
        from aver.networks.pretrained import find_weights

        network = face_network(find_weights(self.weights))
        return {"embeddings": network.embed(images).astype(np.float16)}
