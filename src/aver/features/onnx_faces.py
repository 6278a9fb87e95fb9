"""`OnnxFaces`: face crops through a face-expression network in an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.features.encoded_frames import Pooling, frame_arrays
from aver.features.face_crops import FaceCrops, FaceFeature
from aver.settings import Field, settings

Positive = Annotated[float, Field(gt=0)]
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@settings
class OnnxFaces(FaceFeature):
    """One vector per frame with a face, by a network in an ONNX file (EmotiEffLib's, or any).

    Arrays: with ``pooling="frames"`` ``embeddings`` float16 (frames with a face, size); with
    ``pooling="mean"`` their mean, ``statistics`` float32 (size,).

    Parameters
    ----------
    weights : str
        Path of the ``.onnx`` file, with the weights inside; see `OnnxFaceNetwork` for its input.
    crops : FaceCrops or mapping
        The images, resized to the input of the network.
    output : str
        ``"first"``, usually the scores of the classes, or the name of an output of the graph.
        ``"penultimate"``, or the name of an inner tensor, needs the library `onnx`.
    size_px : int >= 0
        Side of the network's input; 0 to read it from the graph.
    mean, std : three floats
        Of the colors red, green, blue from 0 to 1, subtracted and divided by; the default is
        ImageNet's.
    pooling : {"frames", "mean"}

    Raises
    ------
    SettingsError
        If `weights` is empty, or there is no such output or size.
    CheckpointError
        If the file is missing or no network with such an input.

    Notes
    -----
    Source: Savchenko (2023), "Facial expression recognition with adaptive frame rate based on
    multiple testing correction", EmotiEffLib: input of 224 px (``enet_b0``), 260 px (``enet_b2``)
    or 112 px (``mbf``, whose mean and std are 0.5).
    """

    weights: str = ""
    crops: FaceCrops = field(
        default_factory=lambda: FaceCrops(size_px=160, rate_hz=6.0, margin=0.0)
    )
    output: Annotated[str, Field(min_length=1)] = "first"
    size_px: Annotated[int, Field(ge=0)] = 0
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[Positive, Positive, Positive] = _IMAGENET_STD
    pooling: Pooling = "frames"

    name = "onnx-faces"
    source = "Savchenko (2023), EmotiEffLib; needs an ONNX file"
    effort = 60.0
    file_settings = (*FaceCrops.file_settings, "weights")

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """The file."""
        return (self.weights,) if self.weights else ()

    @property
    def frames_in_1_s(self) -> int:
        """That of the crops."""
        return self.crops.frames_in_1_s

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video and the network's file: their content counts, not their names."""
        basis = super().paths(clip)
        return (*basis, self._file()) if basis else ()

    def _file(self) -> Path:
        from aver.networks.pretrained import find_weights

        if not self.weights:
            raise SettingsError("The setting 'weights' of onnx-faces must name an ONNX file.")
        return find_weights(self.weights)

    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Run the network on every frame with a face."""
        from aver.networks.onnx_faces import onnx_face_network

        network = onnx_face_network(self._file(), self.output, self.size_px)
        frames = network.embed(
            images, np.array(self.mean, np.float32), np.array(self.std, np.float32)
        )
        return frame_arrays(frames, self.pooling, f"The ONNX network {self.weights}")
