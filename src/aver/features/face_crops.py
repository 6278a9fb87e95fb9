"""`FaceCrops`: square pictures of the main face at a steady rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.features.feature import Feature, FeatureRecord

if TYPE_CHECKING:
    from aver.media.face_detection import FaceDetector
    from aver.media.main_face import FaceTrack


@dataclass(frozen=True)
class FaceCrops(Feature):
    """Follow the main face and cut it out.

    Arrays: ``crops`` uint8 (frames, size_px, size_px, 3) in RGB, black where there is no face;
    ``times_s`` float32 (frames,) on the file's clock, from the first picture that is not black;
    ``found`` bool (frames,). Coverage counts black leading pictures as pictures without a face.

    Parameters
    ----------
    size_px : int > 0
        Side of the crops.
    rate_hz : float > 0
        Crops a second.
    margin : float > -0.5
        What is added to the face's box on each side, in shares of its longer side.
    detector : {"mtcnn", "haar", "dlib"}
        How faces are found.
    face_model : str
        With dlib: path of its detector file ``mmod_human_face_detector.dat``. Empty: the one in
        the package `face_recognition_models`.

    Raises
    ------
    SettingsError
        If a setting is out of range, or there is no such detector file.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 4.1, crops of faces as visual input.
    Differs from the paper: it names neither size nor rate; 112 px at 10 crops a second are ours.
    """

    size_px: int = 112
    rate_hz: float = 10.0
    margin: float = 0.1
    detector: Literal["mtcnn", "haar", "dlib"] = "mtcnn"
    face_model: str = ""

    name = "face-crops"
    modality = "video"
    source = "Chang & Skarbek (2021), section 4.1; Zhang et al. (2016), MTCNN"
    effort = 30.0
    file_settings = ("face_model",)

    def __post_init__(self) -> None:
        for field in ("size_px", "rate_hz"):
            if getattr(self, field) <= 0:
                raise SettingsError(f"{field} is {getattr(self, field)}; it must be positive.")
        if self.margin <= -0.5:
            raise SettingsError(f"margin is {self.margin}; nothing is left at -0.5 or below.")
        if self.detector not in ("mtcnn", "haar", "dlib"):
            raise SettingsError(
                f"There is no detector {self.detector!r}. Choose 'mtcnn', 'haar' or 'dlib'."
            )

        if self.face_model and self.detector != "dlib":
            raise SettingsError(
                f"The face detector {self.detector!r} takes no model file, but face_model is "
                f"{self.face_model}. Leave it out, or choose detector=dlib."
            )
        if self.face_model and not Path(self.face_model).expanduser().is_file():
            raise SettingsError(
                f"There is no file at {self.face_model}. face_model is the path of "
                "mmod_human_face_detector.dat."
            )

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video, and the detector's file where one is named."""
        if clip.video is None:
            return ()
        return (
            (clip.video, Path(self.face_model).expanduser()) if self.face_model else (clip.video,)
        )

    def extract(self, clip: Clip) -> FeatureRecord:
        """Track the face of one clip and cut it out."""
        if clip.video is None:
            return FeatureRecord.absent("no video")
        from aver.media.main_face import iter_face_crops, track_faces

        try:
            detector = _make(self.detector, self.face_model)
            track = track_faces(clip.video, rate_hz=self.rate_hz, detector=detector)
        except MissingModalityError:
            return FeatureRecord.absent("no video")
        if not track.found.any():
            return FeatureRecord.absent("no face")
        crops = np.zeros((len(track.found), self.size_px, self.size_px, 3), np.uint8)
        cut = iter_face_crops(clip.video, track, self.size_px, margin=self.margin)
        for row, (_, crop, _) in enumerate(cut):
            crops[row] = crop
        return FeatureRecord(
            arrays={
                "crops": crops,
                "times_s": track.times_s.astype(np.float32),
                "found": track.found,
            },
            coverage=_coverage(track, self.rate_hz),
            flags=() if track.complete else ("truncated video",),
        )


def _coverage(track: FaceTrack, rate_hz: float) -> float:
    black = round((track.first_visible_s or 0.0) * rate_hz)
    return float(track.found.sum() / (len(track.found) + black))


@lru_cache(maxsize=1)
def _make(detector: str, face_model: str) -> FaceDetector:
    """One detector per process: its networks are loaded once."""
    from aver.media.face_detection import make_detector

    return make_detector(detector, face_model=Path(face_model).expanduser() if face_model else None)
