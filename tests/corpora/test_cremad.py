"""CREMA-D: several files per clip, tables, and clips that were published broken."""

from __future__ import annotations

import pytest

from aver.corpora import open_corpus
from aver.corpora.cremad import CremaD
from aver.errors import CorpusError, LabelError, SettingsError

LONG_ENOUGH = b"audio" * 300


@pytest.fixture
def metadata(data_root):
    """The corpus's real tables."""
    folder = data_root / "cremad-metadata"
    if not folder.is_dir():
        pytest.skip(f"The tables of CREMA-D are not at {folder}.")
    return str(folder)


def test_copies_of_one_clip(plant):
    root = plant(
        [
            "VideoFlash/1001_DFA_ANG_XX.flv",
            "VideoMP4/1001_DFA_ANG_XX.mp4",
            "AudioMP3/1001_DFA_ANG_XX.mp3",
            "AudioWAV/1001_DFA_ANG_XX.wav",
            "VideoFlash/1002_IEO_HAP_LO.flv",
        ],
        LONG_ENOUGH,
    )

    first, second = open_corpus(root)

    assert (first.clip_id, first.speaker, first.sentence) == ("1001_DFA_ANG_XX", "1001", "DFA")
    assert (first.emotion, first.intensity) == ("angry", "unspecified")
    assert (first.video.suffix, first.audio.suffix) == (".mp4", ".wav")
    assert (second.emotion, second.intensity) == ("happy", "low")
    assert second.video == second.audio


def test_all_7442_names_with_the_real_tables(plant, metadata):
    from pathlib import Path

    listing = Path(metadata, "SentenceFilenames.csv").read_text().replace('"', "").split("\n")
    names = [line.split(",")[1] for line in listing[1:] if line]
    root = plant([f"AudioWAV/{name}.wav" for name in names], LONG_ENOUGH)

    corpus = open_corpus(root, metadata=metadata)

    # 1076_MTI_SAD_XX was published broken in every form
    assert len(corpus) == 7441
    assert [problem.path for problem in corpus.problems] == ["AudioWAV/1076_MTI_SAD_XX.wav"]
    sexes = {clip.speaker: clip.sex for clip in corpus}
    # Cao et al. 2014: 91 actors, 48 men and 43 women
    assert (len(sexes), list(sexes.values()).count("male")) == (91, 48)
    assert corpus.classes == ("neutral", "happy", "sad", "angry", "fearful", "disgust")
    for clip in corpus:
        assert set(clip.votes) == {"voice", "face", "both"}
        for shares in clip.votes.values():
            assert sum(shares.values()) == pytest.approx(1)
    # Row "100002" of the table: of nine raters of the voice, three chose happy and six neutral
    by_voice = corpus.by_id["1001_IEO_HAP_LO"].votes["voice"]
    assert (by_voice["happy"], by_voice["neutral"]) == (3 / 9, 6 / 9)
    assert CremaD(metadata=metadata).missing(corpus) == ("1076_MTI_SAD_XX",)


def test_the_name_that_lacks_an_x(plant, metadata):
    root = plant(["AudioWAV/1040_ITH_SAD_X.wav"], LONG_ENOUGH)

    (clip,) = open_corpus(root, metadata=metadata)

    assert clip.clip_id == "1040_ITH_SAD_XX"
    assert clip.votes["voice"]["neutral"] == 0.5
    assert clip.intensity == "unspecified"


def test_both_spellings_are_one_clip(plant):
    root = plant(["a/1040_ITH_SAD_X.wav", "b/1040_ITH_SAD_XX.wav"], LONG_ENOUGH)

    corpus = open_corpus(root)

    assert len(corpus) == 1
    assert "second copy" in corpus.problems[0].reason


def test_pointers_and_silent_copies_are_skipped_for_the_next_file(plant, lfs_pointer):
    plant(["AudioWAV/1001_DFA_ANG_XX.wav"], lfs_pointer)
    plant(["AudioMP3/1001_DFA_ANG_XX.mp3"], b"ID3")
    root = plant(["VideoFlash/1001_DFA_ANG_XX.flv"])

    corpus = open_corpus(root)

    assert corpus.clips[0].audio.suffix == ".flv"
    reasons = {problem.path: problem.reason for problem in corpus.problems}
    assert "git lfs pull" in reasons["AudioWAV/1001_DFA_ANG_XX.wav"]
    assert "without audio" in reasons["AudioMP3/1001_DFA_ANG_XX.mp3"]


def test_a_clone_without_lfs(plant, lfs_pointer):
    names = [f"AudioWAV/10{number:02d}_DFA_ANG_XX.wav" for number in range(1, 20)]

    with pytest.raises(CorpusError, match=r"Problems: 21.*git lfs pull"):
        open_corpus(plant(names, lfs_pointer))


def test_broken_clips_keep_their_audio_wav(plant):
    names = ["1064_TIE_SAD_XX", "1064_IEO_DIS_MD", "1076_MTI_NEU_XX"]
    plant([f"VideoFlash/{name}.flv" for name in names])
    root = plant([f"AudioWAV/{name}.wav" for name in names], LONG_ENOUGH)

    corpus = open_corpus(root)

    assert [clip.video for clip in corpus] == [None] * 3
    assert all(clip.audio.suffix == ".wav" for clip in corpus)


def test_labels_by_the_raters(plant, metadata):
    names = ["1001_IEO_HAP_LO", "1001_IEO_SAD_LO", "1001_IEO_NEU_XX"]
    root = plant([f"AudioWAV/{name}.wav" for name in names], LONG_ENOUGH)

    by_voice = open_corpus(root, metadata=metadata, label="voice")
    seen = open_corpus(root, metadata=metadata, label="face")

    assert by_voice.by_id["1001_IEO_HAP_LO"].emotion == "neutral"  # summaryTable.csv: N
    assert seen.by_id["1001_IEO_HAP_LO"].emotion == "happy"  # summaryTable.csv: H


def test_labels_by_the_raters_agree_with_the_summary_of_the_authors(plant, metadata):
    import csv
    from pathlib import Path

    with Path(metadata, "processedResults", "summaryTable.csv").open() as handle:
        rows = list(csv.DictReader(handle))[::40]
    root = plant([f"AudioWAV/{row['FileName']}.wav" for row in rows], LONG_ENOUGH)
    letters = {
        "A": "angry",
        "D": "disgust",
        "F": "fearful",
        "H": "happy",
        "N": "neutral",
        "S": "sad",
    }

    corpus = open_corpus(root, metadata=metadata, label="both")

    expected = {
        row["FileName"]: letters[row["MultiModalVote"]]
        for row in rows
        if ":" not in row["MultiModalVote"]  # a colon joins the emotions of a tie
    }
    assert {clip.clip_id: clip.emotion for clip in corpus} == expected
    assert len(corpus.problems) == len(rows) - len(expected)


def test_missing_tables_are_listed(plant):
    corpus = open_corpus(plant(["1001_DFA_ANG_XX.wav"], LONG_ENOUGH))

    assert {problem.path for problem in corpus.problems} == {
        "VideoDemographics.csv",
        "processedResults/tabulatedVotes.csv",
    }
    assert corpus.clips[0].sex is None


def test_unknown_emotion_and_setting(plant):
    root = plant(["1001_DFA_JOY_XX.wav"], LONG_ENOUGH)

    with pytest.raises(LabelError, match=r"1001_DFA_JOY_XX\.wav"):
        open_corpus(root, "cremad")
    with pytest.raises(SettingsError, match="smell"):
        open_corpus(root, "cremad", label="smell")


def test_faulty_votes(plant):
    plant(["1001_DFA_ANG_XX.wav"], LONG_ENOUGH)
    rows = b'"","A","D","F","H","N","S","fileName"\n"100001",0,0,x,1,10,0,"1001_DFA_ANG_XX"\n'
    root = plant(["processedResults/tabulatedVotes.csv"], rows)

    with pytest.raises(CorpusError, match="Line 2"):
        open_corpus(root)
