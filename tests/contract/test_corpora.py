"""Rules for every corpus reader."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from aver.corpora import corpora, open_corpus
from aver.emotions import EMOTIONS
from aver.errors import AverError, CorpusError, SettingsError

# A small tree for each reader; a new reader adds its line here.
TREES: dict[str, dict[str, str]] = {
    "ravdess": dict.fromkeys(
        (
            "Actor_02/03-01-05-01-01-01-02.wav",
            "Actor_01/01-01-03-02-02-01-01.mp4",
            "Actor_01/03-01-03-02-02-01-01.wav",
        ),
        "media",
    ),
    "ased": dict.fromkeys(("04Sad/S4-04-02-01-29.wav", "01Neutral/n1-01-01-01-01.wav"), "media"),
    "cremad": dict.fromkeys(
        ("AudioWAV/1002_IEO_HAP_LO.wav", "AudioWAV/1001_DFA_ANG_XX.wav"), "media" * 300
    ),
    "enterface": dict.fromkeys(
        ("subject 6/anger/s6_an_1.avi", "subject 1/fear/sentence 1/s1_fe_1.avi"), "media"
    ),
    "expw": {
        "label/label.lst": "a_boy_1.jpg 0 10 20 60 70 0.9 3\nb_man_2.jpg 0 5 80 40 99 0.8 6\n",
        "origin/a_boy_1.jpg": "image",
        "origin/b_man_2.jpg": "image",
    },
    "fer2013": dict.fromkeys(("train/sad/Training_2.jpg", "test/angry/PrivateTest_1.jpg"), "image"),
    "manifest": {
        "aver-corpus.yaml": "pattern: '{speaker}_{emotion}.mp4'",
        "zoe_sad.mp4": "media",
        "deep/anna_happy.mp4": "media",
    },
    "nemo": {
        "data.tsv": "file_id\temotion\tspeaker_id\n",
        "samples/WR0_surprised_64.wav": "media",
        "samples/EB0_anger_1.wav": "media",
    },
    "speaker-folders": dict.fromkeys(("id10002/b/1.wav", "id10001/a/1.wav"), "media"),
    "synthetic": {
        "synthesis.json": "{}",
        "clips.csv": "clip_id,speaker,sex,emotion,intensity,sentence,take,file,units\n"
        "b,s2,male,sad,strong,1,1,b.mp4,\na,s1,female,happy,strong,1,1,a.mp4,\n",
        "a.mp4": "media",
        "b.mp4": "media",
    },
}


@pytest.fixture(params=corpora.names())
def planted(request, tmp_path) -> tuple[str, Path]:
    """A reader's name and a folder that it can read."""
    assert request.param in TREES, "Add a small tree for the new reader to TREES."
    root = tmp_path / "first"
    for name, content in TREES[request.param].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return request.param, root


@pytest.mark.parametrize("name", corpora.names())
def test_states_license_citation_source_and_tree(name):
    reader = corpora.get(name)

    assert reader.name == name
    for entry in dataclasses.fields(reader.info):
        # Own clips have no address; most corpora have no further labels.
        if entry.name not in ("url", "general", "further_emotions"):
            assert getattr(reader.info, entry.name), f"{name} does not state its {entry.name}."
    assert reader.__doc__


def test_reads_its_tree(planted):
    name, root = planted

    corpus = open_corpus(root, name)

    assert corpus.name == name
    assert corpus.info is not None
    assert len(corpus) == 2
    for clip in corpus:
        assert clip.emotion in (None, *EMOTIONS, *corpus.info.further_emotions)
        assert clip.sex in (None, "female", "male")
        assert clip.video is not None or clip.audio is not None
        assert clip.performance


def test_clips_are_sorted_and_ids_are_unique(planted):
    name, root = planted

    ids = [clip.clip_id for clip in open_corpus(root, name)]

    assert ids == sorted(set(ids))


def test_ids_do_not_depend_on_the_folder(planted, tmp_path):
    name, root = planted
    shutil.copytree(root, tmp_path / "elsewhere" / "second")

    here = open_corpus(root, name)
    there = open_corpus(tmp_path / "elsewhere" / "second", name)

    def facts(corpus):
        return [
            dataclasses.replace(clip, video=None, audio=None, action_units=None) for clip in corpus
        ]

    assert facts(here) == facts(there)
    assert not any(
        str(tmp_path) in text for clip in here for text in (*clip.names, clip.performance)
    )


def test_is_guessed(planted):
    name, root = planted

    assert open_corpus(root).name == name


def test_empty_files_are_listed_and_the_rest_is_read(planted):
    name, root = planted
    last = max(path for path in root.rglob("*") if path.suffix in (".wav", ".mp4", ".avi", ".jpg"))
    last.write_bytes(b"")

    corpus = open_corpus(root, name)

    assert any(problem.path.endswith(last.name) for problem in corpus.problems)
    assert len(corpus) >= 1


@pytest.mark.parametrize("name", corpora.names())
def test_empty_and_missing_folders(name, tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        open_corpus(tmp_path / "none", name)
    with pytest.raises(AverError) as caught:
        open_corpus(tmp_path, name)
    assert isinstance(caught.value, CorpusError | SettingsError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", corpora.names())
def test_unknown_setting(name, tmp_path):
    with pytest.raises(SettingsError, match=r"There is no setting '.*color'"):
        open_corpus(tmp_path, name, color="red")
