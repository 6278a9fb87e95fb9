"""RAVDESS: three containers are one performance; all facts are in the names."""

from __future__ import annotations

from collections import Counter

import pytest

from aver.corpora import open_corpus
from aver.errors import CorpusError, LabelError, SettingsError


def test_real_files_pair_into_1200_performances(data_root):
    corpus = open_corpus(data_root / "ravdess")

    assert corpus.name == "ravdess"
    assert len(corpus) == 1200
    assert not corpus.problems
    assert len(corpus.speakers) == 20
    assert Counter(clip.emotion for clip in corpus)["neutral"] == 80
    assert set(Counter(clip.speaker for clip in corpus).values()) == {60}
    # 6 full and 2 video-only files belong to performances that have audio files too
    assert sum(clip.video is not None for clip in corpus) == 8
    assert all(clip.audio is not None and clip.audio.suffix == ".flac" for clip in corpus)
    assert corpus.by_id["01-02-01-01-02-01"].video.name == "02-01-02-01-01-02-01.mp4"


def test_every_real_clip_is_in_the_action_unit_table(data_root):
    corpus = open_corpus(data_root / "ravdess")
    lines = (data_root / "ravdess-au" / "clip_action_units.csv").read_text().splitlines()[1:]
    rows = {line.split(",")[0] for line in lines}

    assert {name for clip in corpus for name in clip.names if name in rows} == rows


def test_fields_of_the_name(plant):
    root = plant(["Actor_12/03-01-06-01-02-01-12.wav"])

    (clip,) = open_corpus(root)

    # The dataset's own example: audio-only, speech, fearful, normal, dogs, first, actor 12, female
    assert (clip.channel, clip.emotion, clip.intensity) == ("speech", "fearful", "normal")
    assert (clip.sentence, clip.take, clip.speaker, clip.sex) == ("02", "01", "12", "female")
    assert clip.video is None
    assert clip.audio == root / "Actor_12/03-01-06-01-02-01-12.wav"
    assert set(clip.aliases) == {f"0{container}-01-06-01-02-01-12" for container in (1, 2, 3)}


def test_three_containers_are_one_clip(plant):
    fields = "01-05-02-01-02-07"
    names = [f"01-{fields}.mp4", f"02-{fields}.mp4", f"03-{fields}.wav"]

    (clip,) = open_corpus(plant(names))

    assert clip.video.name == names[0]
    assert clip.audio.name == names[2]


def test_full_file_alone_serves_both(plant):
    (clip,) = open_corpus(plant(["01-01-05-02-01-02-07.mp4"]))

    assert clip.video == clip.audio


def test_video_only_file_has_no_audio(plant):
    (clip,) = open_corpus(plant(["02-01-05-02-01-02-07.mp4"]))

    assert clip.audio is None


@pytest.mark.parametrize(("channel", "count"), [("speech", 1), ("song", 2), ("both", 3)])
def test_channel_setting(channel, count, plant):
    names = ["03-01-05-02-01-02-07.wav", "03-02-05-02-01-02-07.wav", "03-02-05-01-01-02-07.wav"]

    assert len(open_corpus(plant(names), channel=channel)) == count


def test_unknown_channel_setting(plant):
    with pytest.raises(SettingsError, match="humming"):
        open_corpus(plant(["03-01-05-02-01-02-07.wav"]), channel="humming")


def test_unknown_emotion_names_the_file(plant):
    with pytest.raises(LabelError, match=r"03-01-09-02-01-02-07\.wav"):
        open_corpus(plant(["Actor_07/03-01-09-02-01-02-07.wav"]))


def test_bad_files_are_listed_and_the_rest_read(tmp_path, plant, lfs_pointer):
    plant(["a/03-01-05-02-01-02-07.wav", "b/03-01-05-02-01-02-07.flac", "notes.wav"])
    plant(["03-01-05-02-01-01-07.wav"], content=b"")
    plant(["01-01-05-02-01-01-07.mp4"], content=lfs_pointer)

    corpus = open_corpus(tmp_path)

    assert len(corpus) == 1
    reasons = {problem.path: problem.reason for problem in corpus.problems}
    assert set(reasons) == {
        "b/03-01-05-02-01-02-07.flac",
        "notes.wav",
        "03-01-05-02-01-01-07.wav",
        "01-01-05-02-01-01-07.mp4",
    }
    assert "a/03-01-05-02-01-02-07.wav" in reasons["b/03-01-05-02-01-02-07.flac"]
    assert "empty" in reasons["03-01-05-02-01-01-07.wav"]
    assert "git lfs pull" in reasons["01-01-05-02-01-01-07.mp4"]


def test_missing_folder_and_empty_corpus(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        open_corpus(tmp_path / "nowhere", "ravdess")
    with pytest.raises(CorpusError, match=r"expects files like Actor_01/03-01"):
        open_corpus(tmp_path, "ravdess")


def test_missing_performances_of_an_actor(plant):
    from aver.corpora.ravdess import Ravdess

    root = plant(["03-01-05-02-01-02-18.wav"])

    # 60 speech clips an actor, 44 songs, none by actor 18 (Livingstone & Russo 2018, Table 1)
    assert len(Ravdess().missing(Ravdess().read(root))) == 59
    both = Ravdess(channel="both")
    assert len(both.missing(both.read(root))) == 59
    plant(["03-02-05-02-01-02-07.wav"])
    assert len(both.missing(both.read(root))) == 59 + 60 + 43
