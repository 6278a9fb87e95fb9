"""Frames against written files, and against OpenCV's decoder on real clips."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

from aver.errors import SettingsError
from aver.media.frames import read_frames
from orientations import ORIENTATIONS, set_matrix, shown


def numbers(images):
    """Read back what `numbered` wrote."""
    return [round((float(p.mean()) - 40) / 8) for _, p in images]


def test_times_and_order(write_media, numbered):
    path = write_media("a.mp4", numbered(20))
    images = list(read_frames(path))
    np.testing.assert_allclose([t for t, _ in images], np.arange(20) / 25, atol=1e-6)
    assert numbers(images) == list(range(20))
    assert images[0][1].shape == (48, 64, 3)
    assert images[0][1].dtype == np.uint8


@pytest.mark.parametrize("rate_hz", [5, 6, 29.97, 60])
def test_sampling_gives_the_frame_on_display(write_media, numbered, rate_hz):
    written = [0, 0.04, 0.3, 0.34, 0.5, 0.9]  # changing frame rate
    path = write_media("vfr.mp4", numbered(6), times_s=written)
    images = list(read_frames(path, rate_hz))
    times = np.array([t for t, _ in images])
    np.testing.assert_allclose(times, np.arange(len(times)) / rate_hz, atol=1e-9)
    assert times[-1] >= 0.9
    shown = [max(i for i, w in enumerate(written) if w <= t + 1e-4) for t in times]
    assert numbers(images) == shown


@pytest.mark.parametrize("name", ["late.ts", "late.mkv", "late.avi"])
def test_other_containers_start_at_zero(write_media, numbered, name):
    codec = "mpeg4" if name.endswith("avi") else "libx264"
    path = write_media(name, numbered(20), video_codec=codec)
    times = [t for t, _ in read_frames(path)]
    # FFmpeg's MPEG-TS writer starts its clock at 1.4 s; Matroska rounds to milliseconds
    np.testing.assert_allclose(times[:15], np.arange(15) / 25, atol=0.002)


def marked_image() -> np.ndarray:
    """No orientation of it equals another."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = (200, 0, 0)
    image[24:, 32:] = (0, 0, 200)
    image[24:, :32] = (0, 120, 0)
    return image


@pytest.mark.parametrize("exif", ORIENTATIONS)
def test_films_are_turned_and_mirrored_as_their_matrix_says(write_media, exif):
    path = write_media("turned.mp4", [marked_image()] * 5)
    set_matrix(path, exif)
    (_, upright), *_ = read_frames(path)
    expected = shown(marked_image(), exif)
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 12


@pytest.mark.parametrize("exif", ORIENTATIONS)
def test_pictures_are_turned_and_mirrored_as_their_exif_says(tmp_path, exif):
    path = tmp_path / "picture.jpg"
    tag = Image.Exif()
    tag[0x0112] = exif
    Image.fromarray(marked_image()).save(path, exif=tag, quality=95)
    ((_, upright),) = read_frames(path)
    expected = shown(marked_image(), exif)
    assert upright.shape == expected.shape
    assert np.abs(upright.astype(int) - expected).mean() < 12


def test_pixels_are_made_square(write_media, numbered):
    path = write_media("pal.mp4", numbered(3), pixel_shape=Fraction(16, 11))
    assert next(read_frames(path))[1].shape == (48, round(64 * 16 / 11), 3)


def test_black_beginning_is_found_and_skipped(write_media, numbered):
    path = write_media("black.mp4", [np.zeros((48, 64, 3), np.uint8)] * 10 + numbered(10))
    reader = read_frames(path)
    assert len(list(reader)) == 20
    assert reader.first_visible_s == pytest.approx(0.4)
    assert next(t for t, _ in read_frames(path, skip_black=True)) == pytest.approx(0.4)
    assert next(t for t, _ in read_frames(path, 6, skip_black=True)) == pytest.approx(0.5)


def test_rate_must_be_positive(tmp_path):
    with pytest.raises(SettingsError, match="rate_hz is 0"):
        read_frames(tmp_path / "any.mp4", 0)


@pytest.mark.parametrize(
    "name", ["javanese-av/01-01-01_01.mp4", "wild/LipNet__bbaf2n.mpg", "wild/fer__test.mp4"]
)
def test_real_clips_as_opencv_decodes_them(data_root, name):
    theirs = cv2.VideoCapture(str(data_root / name))
    n = 0
    for time_s, image in read_frames(data_root / name):
        stamp_s = theirs.get(cv2.CAP_PROP_POS_MSEC) / 1000
        ok, other = theirs.read()
        stamp_s = theirs.get(cv2.CAP_PROP_POS_MSEC) / 1000
        assert ok
        assert np.abs(image.astype(int) - other[..., ::-1]).mean() < 4
        assert time_s == pytest.approx(stamp_s, abs=0.045)
        n += 1
    assert not theirs.read()[0]
    assert n > 70


def test_real_black_frames(data_root):
    reader = read_frames(data_root / "javanese-av" / "09-04-06_01.mp4")
    images = list(reader)
    dark = sum(float(p.mean()) < 5 for _, p in images)
    assert reader.first_visible_s == pytest.approx(dark / 29.97, abs=0.001)
    assert 5 < dark < 23


def test_outlines_are_downscaled_frames(data_root):
    path = sorted((data_root / "javanese-av").glob("*.mp4"))[0]
    whole = list(read_frames(path, 5, skip_black=True))
    small = list(read_frames(path, 5, skip_black=True, outline_px=32))
    assert [t for t, _ in small] == [t for t, _ in whole]
    for (_, image), (_, outline) in zip(whole, small, strict=True):
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        expected = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA)
        assert outline.shape == (32, 32)
        assert np.corrcoef(outline.ravel(), expected.ravel())[0, 1] > 0.99
        assert abs(float(outline.mean()) - float(expected.mean())) < 3
