"""Corpora keep clips, speakers and labels on the way to other libraries and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aver.corpora import Corpus
from aver.corpora.exchange import from_audformat, from_datasets, to_audformat, to_datasets
from aver.corpora.manifest import Layout
from aver.errors import CorpusError
from tone_corpus import write_tone_corpus

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    folder = tmp_path_factory.mktemp("tones")
    found = write_tone_corpus(folder, speakers=2, takes=1)
    sexes = {"s0": "female", "s1": "male"}
    return replace(found, clips=tuple(replace(c, sex=sexes[str(c.speaker)]) for c in found))


def known(corpus: Corpus) -> list[tuple[Any, ...]]:
    return [(c.clip_id, c.speaker, c.emotion, c.sex, c.take, c.audio) for c in corpus]


@pytest.fixture
def datasets() -> Any:
    return pytest.importorskip("datasets", reason="needs aver[datasets]")


@pytest.fixture
def audformat() -> Any:
    return pytest.importorskip("audformat", reason="needs aver[audformat]")


def test_to_datasets_and_back(corpus: Corpus, datasets: Any) -> None:
    table = to_datasets(corpus)
    assert isinstance(table, datasets.Dataset)
    assert table["emotion"][:] == [clip.emotion for clip in corpus]
    assert "video" not in table.column_names  # no clip has any
    assert known(from_datasets(table)) == known(corpus)


def test_class_numbers_subsets_and_other_column_names(corpus: Corpus, datasets: Any) -> None:
    table = to_datasets(corpus).rename_columns({"emotion": "label", "audio": "sound"})
    names = ["angry", "happy", "sad"]
    table = table.cast_column("label", datasets.ClassLabel(names=names))
    parts = datasets.DatasetDict(
        {"train": table.select([0, 1, 2]), "test": table.select([3, 4, 5])}
    )
    found = from_datasets(parts, columns={"emotion": "label", "audio": "sound"})
    assert known(found) == known(corpus)
    assert [clip.subset for clip in found].count("test") == 3
    with pytest.raises(CorpusError, match=r"none with media\. Name one"):
        from_datasets(parts)


def test_sounds_that_a_dataset_holds_are_written_as_they_are(
    corpus: Corpus, datasets: Any, tmp_path: Path
) -> None:
    contents = [clip.audio.read_bytes() for clip in corpus if clip.audio]
    table = datasets.Dataset.from_dict(
        {
            "audio": [{"bytes": content, "path": None} for content in contents],
            "emotion": [clip.emotion for clip in corpus],
        }
    ).cast_column("audio", datasets.Audio())
    found = from_datasets(table, folder=tmp_path)
    written = {clip.audio.read_bytes(): clip.emotion for clip in found if clip.audio}
    assert written == {
        content: clip.emotion for content, clip in zip(contents, corpus, strict=True)
    }
    assert {clip.audio.suffix for clip in found if clip.audio} == {".wav"}


def test_relative_paths_and_equal_names_in_several_folders(
    corpus: Corpus, datasets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sounds = [clip.audio.read_bytes() for clip in corpus if clip.audio][:2]
    paths = [Path("data", emotion, "1.wav") for emotion in ("happy", "sad")]
    for path, sound in zip(paths, sounds, strict=True):
        path.parent.mkdir(parents=True)
        path.write_bytes(sound)
    words = [path.parent.name for path in paths]
    table = datasets.Dataset.from_dict({"audio": list(map(str, paths)), "emotion": words})
    found = from_datasets(table)
    assert [clip.clip_id for clip in found] == ["happy/1", "sad/1"]
    assert [clip.audio for clip in found] == [tmp_path / path for path in paths]


def test_rows_with_unknown_labels_are_listed(corpus: Corpus, datasets: Any) -> None:
    words = [str(clip.emotion) for clip in corpus]
    table = datasets.Dataset.from_dict(
        {
            "audio": [str(clip.audio) for clip in corpus],
            "emotion": ["bored", *words[1:]],
        }
    )
    found = from_datasets(table)
    assert len(found) == len(corpus) - 1
    assert found.problems[0].path == "dataset, row 0"
    assert "--labels bored=keep" in found.problems[0].reason
    assert len(from_datasets(table, layout=Layout(further_emotions=("bored",)))) == len(corpus)


def test_to_audformat_on_disk_and_back(corpus: Corpus, audformat: Any) -> None:
    database = to_audformat(corpus)
    assert known(from_audformat(database)) == known(corpus)
    database.save(corpus.root)  # beside the files, as audformat keeps them
    again = audformat.Database.load(corpus.root)
    assert known(from_audformat(again)) == known(corpus)
    assert sorted(again.files) == sorted(clip.audio.name for clip in corpus if clip.audio)


def test_segments_and_missing_schemes(corpus: Corpus, audformat: Any) -> None:
    database = audformat.Database("segments")
    database.schemes["emotion"] = audformat.Scheme(labels=["happy", "sad"])
    files = [str(clip.audio) for clip in corpus][:2]
    index = audformat.segmented_index(files, ["0s", "0s"], ["0.5s", None])
    database["parts"] = audformat.Table(index)
    database["parts"]["emotion"] = audformat.Column(scheme_id="emotion")
    database["parts"]["emotion"].set(["happy", "sad"])
    found = from_audformat(database)
    assert [clip.emotion for clip in found] == ["sad"]
    assert found.problems[0].reason == "The row names no file."
    with pytest.raises(CorpusError, match=r"no scheme 'mood'. Its schemes are: emotion\."):
        from_audformat(database, emotion="mood")
