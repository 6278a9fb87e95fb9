import numpy as np
import pytest

from aver.audit.fingerprints import (
    MIRROR,
    motion_of_video,
    similarity_of_videos,
    video_file_fingerprint,
)
from aver.audit.near_duplicates import find_near_videos
from planted_copies import FILM_KINDS, write_film_copy


@pytest.fixture(scope="module")
def films(data_root):
    """One actor's 24 films, and twelve of another's, in one studio each."""
    files = sorted(data_root.glob("javanese-av/01-*.mp4"))
    files += sorted(data_root.glob("javanese-av/06-0[12]-*.mp4"))
    return files, [video_file_fingerprint(path) for path in files]


def test_takes_by_one_actor_are_different_films(films):
    assert find_near_videos(films[1]) == []


@pytest.mark.parametrize("kind", FILM_KINDS)
def test_a_changed_copy_is_found(films, kind, tmp_path):
    files, prints = films
    place = FILM_KINDS.index(kind)
    copy = video_file_fingerprint(write_film_copy(files[place], tmp_path / "copy", kind))
    found = [(one, two) for one, two, _ in find_near_videos([*prints, copy])]
    assert found == [(place, len(prints))]


def test_films_that_are_all_one_film_are_found(films):
    one = films[1][0]
    found = {(a, b) for a, b, _ in find_near_videos([one, one * MIRROR, one[4:]])}
    assert found == {(0, 1), (0, 2), (1, 2)}


def test_still_images_and_single_ones_are_never_paired():
    still = np.ones((50, 97), np.float32)
    assert motion_of_video(still) is None
    assert motion_of_video(still[:3]) is None
    assert find_near_videos([still, still, still[:0]]) == []
    assert similarity_of_videos(still, still) == -1.0
