"""Finding files without opening them."""

from __future__ import annotations

import pytest

from aver.corpora.files import AUDIO_SUFFIXES, find_media, is_lfs_pointer, media_fault
from aver.errors import CorpusError


def test_sorted_visible_files_of_the_suffixes(plant):
    root = plant(["b/2.WAV", "a/1.wav", "a/._1.wav", ".trash/3.wav", "a/notes.txt", "0.flac"])

    found = find_media(root, AUDIO_SUFFIXES)

    assert [path.relative_to(root).as_posix() for path in found.files] == [
        "0.flac",
        "a/1.wav",
        "b/2.WAV",
    ]
    assert found.problems == ()


def test_pointers(plant, lfs_pointer):
    root = plant(["pointer.wav"], lfs_pointer)
    plant(["long.wav"], lfs_pointer + b" " * 1024)

    assert len(lfs_pointer) < 135  # as in real clones: about 130 bytes
    assert is_lfs_pointer(root / "pointer.wav")
    assert not is_lfs_pointer(root / "long.wav")
    assert [problem.path for problem in find_media(root, {".wav"}).problems] == ["pointer.wav"]


def test_faults(plant):
    root = plant(["good.wav"])

    assert media_fault(root / "good.wav") is None
    assert "No such file" in media_fault(root / "none.wav")
    with pytest.raises(CorpusError, match="not a folder"):
        find_media(root / "good.wav", AUDIO_SUFFIXES)
