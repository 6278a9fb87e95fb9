"""The main face of a video through time, and square crops of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aver.errors import MissingModalityError, SettingsError
from aver.media.boxes import squared
from aver.media.face_detector import FaceDetector, make_detector
from aver.media.face_follower import FaceFollower
from aver.media.frames import read_frames
from aver.media.main_face import choose_main_face
from aver.media.square_crop import cut_square


@dataclass(frozen=True)
class TrackSettings:
    """How a face is followed.

    Parameters
    ----------
    detect_every_s : float > 0
        The detector looks at least this often, and wherever a face appears or is lost.
    refine_every_s : float >= 0
        Pictures between two looks are refined at this distance; the rest lie on straight lines.
    fill_gap_s : float >= 0
        Gaps up to this length, within a shot and in one place, are filled.
    shortest_s : float >= 0
        A face seen for less is not believed, save in a video that is itself shorter.
    smooth_s : float >= 0
        Standard deviation of the Gaussian that smooths boxes and landmarks over time.
    """

    detect_every_s: float = 0.5
    refine_every_s: float = 0.06
    fill_gap_s: float = 0.5
    shortest_s: float = 0.25
    smooth_s: float = 0.05

    def __post_init__(self) -> None:
        if not self.detect_every_s > 0:
            raise SettingsError(f"detect_every_s is {self.detect_every_s}; give a positive time.")
        if min(self.refine_every_s, self.fill_gap_s, self.shortest_s, self.smooth_s) < 0:
            raise SettingsError(f"Times must not be negative: {self}.")


@dataclass(frozen=True)
class FaceTrack:
    """The main face in every picture from the first visible one on.

    Parameters
    ----------
    times_s : np.ndarray [shape=(n,)]
        Times of the pictures.
    boxes : np.ndarray [shape=(n, 4), dtype=float32]
        Left, top, right, bottom in pixels; NaN where there is no face.
    scores : np.ndarray [shape=(n,), dtype=float32]
        The detector's certainty; 0 where there is no face or it was filled in.
    landmarks : np.ndarray [shape=(n, 5, 2), dtype=float32]
        As in `aver.media.face_detector.Faces`; NaN where there are none.
    found : np.ndarray [shape=(n,), dtype=bool]
        Whether there is a box.
    filled : np.ndarray [shape=(n,), dtype=bool]
        Whether the box was drawn over a short gap instead of seen.
    face_ids : np.ndarray [shape=(n,), dtype=int]
        The same number as long as one face was followed without loss; -1 without face. After a cut
        the number changes, even if the person does not.
    first_visible_s : float or None
        First picture that is not black; None in a video that is all black.
    picture_size_px : (int, int)
        Height and width.
    rate_hz : float or None
        The rate that was asked for; None where every picture was looked at.
    complete : bool
        False where the file broke off or was damaged; the track then holds what could be read.
    """

    times_s: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray
    found: np.ndarray
    filled: np.ndarray
    face_ids: np.ndarray
    first_visible_s: float | None
    picture_size_px: tuple[int, int]
    rate_hz: float | None
    complete: bool

    @property
    def coverage(self) -> float:
        """Share of the pictures that have a face, 0 where there are none."""
        return float(self.found.mean()) if self.found.size else 0.0


class FaceCrops(NamedTuple):
    """Square crops of the main face, see `read_face_crops`."""

    times_s: np.ndarray
    crops: np.ndarray
    found: np.ndarray


def track_faces(
    path: str | Path,
    *,
    rate_hz: float | None = None,
    detector: FaceDetector | str = "mtcnn",
    settings: TrackSettings | None = None,
) -> FaceTrack:
    """Follow the main face of a video.

    Black pictures at the beginning are left out. The main face is the one that is longest, largest
    and most central; where it is absent, the next one stands in. Memory does not grow with the
    video but for the track itself.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads.
    rate_hz : float > 0, optional
        Follow at this rate instead of in every picture.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    settings : TrackSettings, optional

    Returns
    -------
    FaceTrack
        With ``coverage == 0`` where no face was found at all.

    Raises
    ------
    MediaError, MissingModalityError, SettingsError
        As `aver.media.reader.read_frames` and `make_detector`.
    """
    settings = settings or TrackSettings()
    follower = FaceFollower(
        make_detector(detector) if isinstance(detector, str) else detector,
        settings.detect_every_s,
        settings.refine_every_s,
    )
    frames = read_frames(path, rate_hz, skip_black=True)
    times: list[float] = []
    size = (0, 0)
    for time_s, frame in frames:
        times.append(time_s)
        size = frame.shape[:2]
        follower.push(time_s, frame)
    follower.finish()
    stamps = np.array(times)
    main = choose_main_face(
        follower.tracklets,
        stamps,
        follower.cuts,
        size,
        fill_gap_s=settings.fill_gap_s,
        shortest_s=settings.shortest_s,
        smooth_s=settings.smooth_s,
    )
    return FaceTrack(
        times_s=stamps,
        boxes=main.boxes,
        scores=main.scores,
        landmarks=main.landmarks,
        found=main.face_ids >= 0,
        filled=main.filled,
        face_ids=main.face_ids,
        first_visible_s=frames.first_visible_s,
        picture_size_px=size,
        rate_hz=rate_hz,
        complete=bool(frames.complete),
    )


def iter_face_crops(
    path: str | Path, track: FaceTrack, size_px: int, *, margin: float = 0.1
) -> Iterator[tuple[float, np.ndarray, bool]]:
    """Cut the tracked face out of its video, one picture at a time.

    Parameters
    ----------
    path : str or Path
        The video that `track` was made from.
    track : FaceTrack
    size_px : int > 0
        Side of the crops.
    margin : float
        What is added to the box on each side, in shares of its longer side.

    Yields
    ------
    (float, np.ndarray [shape=(size_px, size_px, 3), dtype=uint8], bool)
        Time, crop (black without a face, and where it reaches over the picture's edge), and
        whether there is a face.
    """
    if size_px < 1 or margin <= -0.5:
        raise SettingsError(f"size_px is {size_px} and margin {margin}; give 1 or more, over -0.5.")
    shape = (size_px, size_px, 3)
    windows = squared(track.boxes, 1 + 2 * margin)
    pictures = read_frames(path, track.rate_hz, skip_black=True)
    for (time_s, frame), window, found in zip(pictures, windows, track.found, strict=True):
        crop = cut_square(frame, window, size_px) if found else np.zeros(shape, np.uint8)
        yield time_s, crop, bool(found)


def read_face_crops(
    path: str | Path,
    size_px: int,
    rate_hz: float | None = None,
    *,
    margin: float = 0.1,
    detector: FaceDetector | str = "mtcnn",
    settings: TrackSettings | None = None,
) -> FaceCrops:
    """Square crops of the main face at a steady rate.

    Parameters
    ----------
    path : str or Path
        Any video that FFmpeg reads.
    size_px : int > 0
        Side of the crops.
    rate_hz : float > 0, optional
        Crops a second; every picture where not given.
    margin : float
        What is added to the face's box on each side, in shares of its longer side.
    detector : FaceDetector or {"mtcnn", "haar", "dlib"}
    settings : TrackSettings, optional

    Returns
    -------
    FaceCrops
        ``times_s`` : np.ndarray [shape=(n,)], from the first picture that is not black;
        ``crops`` : np.ndarray [shape=(n, size_px, size_px, 3), dtype=uint8], black without a face;
        ``found`` : np.ndarray [shape=(n,), dtype=bool].

    Raises
    ------
    MissingModalityError
        If there is no video, or no face in any picture.
    MediaError, SettingsError
        As `track_faces`.
    """
    track = track_faces(path, rate_hz=rate_hz, detector=detector, settings=settings)
    if not track.found.any():
        raise MissingModalityError(
            f"No face was found in any of the {len(track.times_s)} pictures of {path}. Use the "
            "sound alone, or try another face detector."
        )
    crops = np.zeros((len(track.times_s), size_px, size_px, 3), np.uint8)
    for row, (_, crop, _) in enumerate(iter_face_crops(path, track, size_px, margin=margin)):
        crops[row] = crop
    return FaceCrops(track.times_s, crops, track.found)
