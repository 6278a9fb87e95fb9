import numpy as np
import pytest

from aver.audit.fingerprints import MIRROR, image_fingerprint
from aver.audit.indexing import candidate_pairs
from aver.audit.near_duplicates import find_near_images
from aver.corpora import open_corpus
from aver.corpora.files import read_file
from planted_copies import IMAGE_KINDS, change_image


@pytest.fixture(scope="module")
def faces(data_root):
    """FER2013's 600 test pictures that are neither blank nor doubles among themselves."""
    import cv2

    clips = [clip for clip in open_corpus(data_root / "fer2013.tar") if clip.subset == "test"][::6]
    images = [
        cv2.imdecode(np.frombuffer(read_file(clip.video), np.uint8), cv2.IMREAD_GRAYSCALE)
        for clip in clips
    ]
    described = [(p, d) for p in images if (d := image_fingerprint(p)) is not None]
    prints = [description for _, description in described]
    doubles = {two for _, two, _ in find_near_images(prints)}
    assert len(doubles) < 0.03 * len(prints)
    return [pair for place, pair in enumerate(described) if place not in doubles]


@pytest.mark.parametrize("kind", IMAGE_KINDS)
def test_changed_copies_are_found_among_hundreds_of_faces(faces, kind):
    chosen = range(0, len(faces), 10)
    prints = [description for _, description in faces]
    copies = [image_fingerprint(change_image(faces[n][0], kind)) for n in chosen]
    found = {(one, two) for one, two, _ in find_near_images([*prints, *copies])}
    planted = {(n, len(prints) + place) for place, n in enumerate(chosen)}
    assert len(planted & found) >= 0.97 * len(planted)
    assert found <= planted


def test_mirroring_turns_signs():
    random = np.random.default_rng(1)
    image = random.integers(0, 255, (64, 64), dtype=np.uint8)
    mirrored = image_fingerprint(np.ascontiguousarray(image[:, ::-1]))
    np.testing.assert_allclose(mirrored[0], image_fingerprint(image)[0] * MIRROR, atol=1e-5)


def test_gain_and_offset_change_nothing():
    image = np.random.default_rng(2).integers(60, 120, (48, 48), dtype=np.uint8)
    brighter = (image.astype(int) * 2 + 10).astype(np.uint8)
    np.testing.assert_allclose(image_fingerprint(brighter), image_fingerprint(image), atol=1e-4)


def test_blank_images_are_not_described():
    assert image_fingerprint(np.full((48, 48), 200, np.uint8)) is None
    assert find_near_images([]) == []


def test_the_index_finds_nearly_all_close_rows():
    random = np.random.default_rng(4)
    base = random.standard_normal((2000, 97)).astype(np.float32)
    near = base[:500] + 0.35 * random.standard_normal((500, 97)).astype(np.float32)
    rows = np.vstack([base, near])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = rows @ rows.T
    all_close = {(int(i), int(j)) for i, j in np.argwhere(np.triu(similarity, 1) > 0.9)}
    found = {tuple(pair) for pair in candidate_pairs(rows, [rows], close=0.9).tolist()}
    assert found <= all_close
    assert len(found) >= 0.97 * len(all_close) > 400
