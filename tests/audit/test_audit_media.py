"""Equal and modified files under other names are found."""

import shutil

import numpy as np
import pytest
import soundfile

from aver.audit import Level, audit_media, read_listing
from aver.audit.audit_media import ClipFiles, _subsets_and_label, find_by_media, find_matches
from aver.audit.listing import listing_of
from aver.cli.main import main
from aver.corpora import open_corpus
from aver.splits import Fold, Split
from aver.splits.split import SUBSETS


def write_noise(path, seed, label_gain=0.1):
    """Bursts of noise: as unlike each other as two sentences."""
    random = np.random.default_rng(seed)
    loudness = np.repeat(random.gamma(0.5, 1.0, 60), 800)
    samples = random.standard_normal(loudness.size) * loudness * label_gain
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(samples, -1, 1), 16000)


@pytest.fixture
def folder(tmp_path):
    """Voices in folders per subset; one of the training is in the test under another name."""
    for place, seed in (("train/a", 1), ("train/b", 2), ("test/c", 3), ("test/d", 4)):
        write_noise(tmp_path / f"{place}.wav", seed)
    return tmp_path


def test_different_recordings_give_no_leak(folder):
    report = audit_media(read_listing([folder]), folder)
    assert report.leaks == ()
    assert "audio of 4 clips" in report.checked


def test_a_file_under_another_name_is_found(folder):
    shutil.copy(folder / "train" / "b.wav", folder / "test" / "unlike.wav")
    (leak,) = audit_media(read_listing([folder]), folder).leaks
    assert (leak.kind, leak.subsets) == ("shared-audio", ("train", "test"))
    assert leak.subjects == ("test/unlike.wav = train/b.wav",)
    assert "1 byte for byte" in leak.message


def test_a_changed_copy_under_another_name_is_found_by_two_processes_too(folder, capsys):
    samples, rate_hz = soundfile.read(folder / "train" / "b.wav")
    soundfile.write(folder / "test" / "unlike.flac", samples[4800:] * 0.5, rate_hz)
    reports = [audit_media(read_listing([folder]), folder, workers=n) for n in (1, 2)]
    assert reports[0] == reports[1]
    assert "0 byte for byte, 1 by fingerprint" in reports[0].leaks[0].message
    assert main(["audit", str(folder), "--corpus", str(folder), "--workers", "1"]) == 1
    assert "the same audio in two subsets" in capsys.readouterr().out
    words = ["audit", str(folder), "--corpus", str(folder), "--names-only"]
    assert main(words) == 0


def test_a_double_within_a_subset_is_a_note_and_two_labels_a_warning(tmp_path):
    write_noise(tmp_path / "train" / "sad" / "a.wav", 1)
    (tmp_path / "train" / "happy").mkdir()
    shutil.copy(tmp_path / "train/sad/a.wav", tmp_path / "train/happy/z.wav")
    write_noise(tmp_path / "test" / "sad" / "c.wav", 3)
    report = audit_media(read_listing([tmp_path]), tmp_path)
    assert report.leaks == ()
    found = {finding.kind: finding for finding in report.findings}
    assert found["doubles"].level is Level.NOTE
    assert found["contradicting-labels"].subjects == (
        "train/happy/z.wav (happy) = train/sad/a.wav (sad)",
    )


def test_hundreds_of_equal_files_are_paired_by_what_matters(tmp_path):
    """All pairs of 120 files would be 7,140."""
    write_noise(tmp_path / "one.wav", 1)
    places = {}
    lists = {subset: tuple(f"{subset}{n:04d}x" for n in range(40)) for subset in SUBSETS}
    for names in lists.values():
        places |= {name: ClipFiles(audio=tmp_path / "one.wav") for name in names}
    listing = listing_of(Split("x", "x", 0, (Fold(*lists.values()),)))
    matches = find_matches(places, 1, _subsets_and_label(listing))
    assert len(matches.found) < 4 * 120
    found = {(f.kind, f.subsets) for f in find_by_media(listing, matches)}
    assert {subsets for kind, subsets in found if kind == "shared-audio"} == {
        ("train", "validation"),
        ("train", "test"),
        ("validation", "test"),
    }
    assert {subsets for kind, subsets in found if kind == "doubles"} == {
        (subset,) for subset in SUBSETS
    }


def test_files_that_cannot_be_read_are_reported(folder):
    (folder / "test" / "broken.wav").write_bytes(b"RIFF nothing")
    report = audit_media(read_listing([folder]), folder)
    (note,) = [finding for finding in report.findings if finding.kind == "unreadable-media"]
    assert note.subjects[0].startswith("test/broken.wav: ")


def test_takes_by_one_actor_do_not_match(data_root):
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    clips = corpus.clips[:24]
    fold = Fold(tuple(c.clip_id for c in clips[:16]), (), tuple(c.clip_id for c in clips[16:]))
    report = audit_media(Split("by hand", "ravdess", 0, (fold,)), corpus)
    assert {leak.kind for leak in report.leaks} == {"shared-speakers"}, "no take for another"
