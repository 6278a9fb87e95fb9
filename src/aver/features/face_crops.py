"""`FaceCrops`: square images of the main face at a steady rate, and the base of what uses them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError, SettingsError
from aver.features.feature import DerivedFeature, Feature, FeatureRecord
from aver.settings import Field, settings

if TYPE_CHECKING:
    from aver.media.face_detection import FaceDetector


@settings
class FaceCrops(Feature):
    """Track the main face and crop it.

    Arrays: ``crops`` uint8 (frames, size_px, size_px, 3) in RGB, black in frames without a face;
    ``times_s`` float32 (frames,) on the file's clock, from the first frame that is not black;
    ``found`` bool (frames,). For the coverage, black frames at the start count as frames without a
    face. A clip with a `Clip.face_box` is cropped there, without detection. A clip whose whole
    picture was taken as the face is flagged ``"picture taken as a face"``.

    Parameters
    ----------
    size_px : int > 0
        Side of the crops.
    rate_hz : float > 0
        Crops per second.
    margin : float > -0.5
        Added to the face's box on each side, as a share of its longer side.
    detector : {"mtcnn", "haar", "dlib"}
        Face detector.
    face_model : str
        With dlib: path of its detector file ``mmod_human_face_detector.dat``. Empty: the one in
        the package `face_recognition_models`.

    Raises
    ------
    SettingsError
        If a setting is out of range, or there is no such detector file.

    Notes
    -----
    Source: Chang & Skarbek (2021), section 3.3, face crops as visual input.
    Differs from the paper: it detects with the network of dlib (``detector="dlib"``) and names
    neither size nor rate; 112 px at 10 crops per second are ours.
    """

    size_px: Annotated[int, Field(gt=0)] = 112
    rate_hz: Annotated[float, Field(gt=0)] = 10.0
    margin: Annotated[float, Field(gt=-0.5)] = 0.1
    detector: Literal["mtcnn", "haar", "dlib"] = "mtcnn"
    face_model: str = ""

    name = "face-crops"
    modality = "video"
    version = 2
    source = "Chang & Skarbek (2021), section 3.3; Zhang et al. (2016), MTCNN"
    effort = 30.0
    file_settings = ("face_model",)

    @property
    def frames_in_1_s(self) -> int:
        """One second at `rate_hz`."""
        return max(1, round(self.rate_hz))

    def __post_init__(self) -> None:
        if not self.face_model:
            return
        if self.detector != "dlib":
            raise SettingsError(
                f"The face detector {self.detector!r} takes no model file, but face_model is "
                f"{self.face_model}. Leave it out, or choose detector=dlib."
            )
        if not Path(self.face_model).expanduser().is_file():
            raise SettingsError(
                f"There is no file at {self.face_model}. face_model is the path of "
                "mmod_human_face_detector.dat."
            )

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The clip's video, and the detector's file if one is named."""
        if clip.video is None:
            return ()
        model = (Path(self.face_model).expanduser(),) if self.face_model else ()
        return (clip.video, *model)

    def identity(self, clip: Clip) -> str:
        """The place of the face, if the clip states it, and the stream, if one is named."""
        box = "" if clip.face_box is None else f"face box {clip.face_box}"
        return box if clip.video_stream is None else f"{box}\nstream {clip.video_stream}"

    def extract(self, clip: Clip) -> FeatureRecord:
        """Track the face of one clip and crop it."""
        if clip.video is None:
            return FeatureRecord.absent("no video")
        from aver.media.main_face import iter_face_crops, track_faces, track_fixed_box
        from aver.media.second_look import WHOLE_PICTURE

        path, number, rate_hz = clip.video, clip.video_stream, self.rate_hz
        try:
            if clip.face_box is not None:
                track = track_fixed_box(path, clip.face_box, rate_hz=rate_hz, stream=number)
            else:
                detector = _detector(self.detector, self.face_model)
                track = track_faces(path, rate_hz=rate_hz, detector=detector, stream=number)
        except MissingModalityError as error:
            return FeatureRecord.absent(error.flag or "no video")
        if not track.found.any():
            return FeatureRecord.absent("no face")
        crops = np.zeros((len(track.found), self.size_px, self.size_px, 3), np.uint8)
        stream = iter_face_crops(path, track, self.size_px, margin=self.margin, stream=number)
        for row, (_, crop, _) in enumerate(stream):
            crops[row] = crop
        black = round((track.first_visible_s or 0.0) * self.rate_hz)
        return FeatureRecord(
            arrays={
                "crops": crops,
                "times_s": track.times_s.astype(np.float32),
                "found": track.found,
            },
            coverage=float(track.found.sum() / (len(track.found) + black)),
            flags=(*track.flags, *((WHOLE_PICTURE,) if track.whole_picture else ())),
        )


@lru_cache(maxsize=1)
def _detector(name: str, face_model: str) -> FaceDetector:
    """The detector, once per process, since its networks must be loaded."""
    from aver.media.face_detection import make_detector

    return make_detector(name, face_model=Path(face_model).expanduser() if face_model else None)


class FaceFeature(DerivedFeature):
    """A feature of the crops with a face; a subclass computes it in `from_faces`."""

    modality = "video"
    file_settings: ClassVar[tuple[str, ...]] = FaceCrops.file_settings
    crops: FaceCrops

    @abstractmethod
    def from_faces(self, images: np.ndarray) -> Mapping[str, np.ndarray]:
        """Compute the arrays.

        Parameters
        ----------
        images : np.ndarray [shape=(frames with a face, size_px, size_px, 3), dtype=uint8]
        """

    @property
    def basis(self) -> FaceCrops:
        """The crops."""
        return self.crops

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Compute the arrays from the crops with a face."""
        images = record.arrays["crops"][record.arrays["found"]]
        return FeatureRecord(self.from_faces(images), record.coverage, flags=record.flags)
