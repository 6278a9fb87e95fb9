"""Copies of images and videos are found, and different ones are not paired."""

import numpy as np
import pytest

from aver.audit.perceptual_hash import (
    MIRROR,
    find_image_copies,
    find_video_copies,
    image_hash,
    motion_spectrum,
    video_correlation,
    video_file_hash,
)
from aver.corpora import open_corpus
from aver.corpora.files import read_file
from planted_copies import IMAGE_KINDS, VIDEO_KINDS, change_image, write_video_copy


@pytest.fixture(scope="module")
def faces(data_root):
    """600 test images of FER2013 that are neither blank nor duplicates of each other."""
    import cv2

    clips = [clip for clip in open_corpus(data_root / "fer2013.tar") if clip.subset == "test"][::6]
    images = [
        cv2.imdecode(np.frombuffer(read_file(clip.video), np.uint8), cv2.IMREAD_GRAYSCALE)
        for clip in clips
    ]
    described = [(p, d) for p in images if (d := image_hash(p)) is not None]
    prints = [description for _, description in described]
    doubles = {two for _, two, _ in find_image_copies(prints)}
    assert len(doubles) < 0.03 * len(prints)
    return [pair for place, pair in enumerate(described) if place not in doubles]


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_changed_copies_are_found_among_hundreds_of_faces(faces, kind):
    chosen = range(0, len(faces), 10)
    prints = [description for _, description in faces]
    copies = [image_hash(change_image(faces[n][0], kind)) for n in chosen]
    found = {(one, two) for one, two, _ in find_image_copies([*prints, *copies])}
    planted = {(n, len(prints) + place) for place, n in enumerate(chosen)}
    assert len(planted & found) >= 0.97 * len(planted)
    assert found <= planted


def test_mirroring_flips_signs():
    random = np.random.default_rng(1)
    image = random.integers(0, 255, (64, 64), dtype=np.uint8)
    mirrored = image_hash(np.ascontiguousarray(image[:, ::-1]))
    np.testing.assert_allclose(mirrored[0], image_hash(image)[0] * MIRROR, atol=1e-5)


def test_gain_and_offset_change_nothing():
    image = np.random.default_rng(2).integers(60, 120, (48, 48), dtype=np.uint8)
    brighter = (image.astype(int) * 2 + 10).astype(np.uint8)
    np.testing.assert_allclose(image_hash(brighter), image_hash(image), atol=1e-4)


def test_blank_images_have_no_hash():
    assert image_hash(np.full((48, 48), 200, np.uint8)) is None
    assert find_image_copies([]) == []


@pytest.fixture(scope="module")
def videos(data_root):
    """24 videos of one actor and 12 of another, each in one studio."""
    files = sorted(data_root.glob("javanese-av/01-*.mp4"))
    files += sorted(data_root.glob("javanese-av/06-0[12]-*.mp4"))
    return files, [video_file_hash(path) for path in files]


def test_takes_by_one_actor_are_different_videos(videos):
    assert find_video_copies(videos[1]) == []


@pytest.mark.parametrize("kind", VIDEO_KINDS)
def test_a_changed_copy_is_found(videos, kind, tmp_path):
    files, prints = videos
    place = VIDEO_KINDS.index(kind)
    copy = video_file_hash(write_video_copy(files[place], tmp_path / "copy", kind))
    found = [(one, two) for one, two, _ in find_video_copies([*prints, copy])]
    assert found == [(place, len(prints))]


def test_all_copies_of_one_video_are_found(videos):
    one = videos[1][0]
    found = {(a, b) for a, b, _ in find_video_copies([one, one * MIRROR, one[4:]])}
    assert found == {(0, 1), (0, 2), (1, 2)}


def test_still_and_short_videos_are_never_paired():
    still = np.ones((50, 97), np.float32)
    assert motion_spectrum(still) is None
    assert motion_spectrum(still[:3]) is None
    assert find_video_copies([still, still, still[:0]]) == []
    assert video_correlation(still, still) == -1.0
