"""Who speaks in a user's files: by name, by folder, by a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from aver.corpora.corpus import Corpus
from aver.corpora.speaker_names import name_speakers
from aver.corpora.user_files import load_clips
from aver.errors import AverError, CorpusError, SettingsError

NAMES = ("one/anna_1.wav", "one/anna_2.wav", "two/ben_1.wav", "two/notes.wav")


@pytest.fixture
def files(tmp_path: Path) -> Corpus:
    for name in NAMES:
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content is not read here")
    return load_clips([tmp_path / "clips"])


def speakers(corpus: Corpus) -> dict[str, str | None]:
    return {clip.clip_id: clip.speaker for clip in corpus}


def reasons(corpus: Corpus) -> dict[str, str]:
    return {problem.path: problem.reason for problem in corpus.problems}


def test_a_pattern_of_names(files: Corpus) -> None:
    named = name_speakers(files, "{speaker}_{take}.wav")
    assert speakers(named) == dict(zip(NAMES[:3], ("anna", "anna", "ben"), strict=True))
    assert reasons(named) == {
        NAMES[3]: "The name does not match the pattern '{speaker}_{take}.wav'."
    }


def test_a_pattern_with_folders_counts_from_the_file(files: Corpus) -> None:
    expected = dict(zip(NAMES, ("one", "one", "two", "two"), strict=True))
    assert speakers(name_speakers(files, "{speaker}/{_}.wav")) == expected
    above = name_speakers(files, "clips/{speaker}/{_}.wav")  # "clips" is the common folder itself
    assert speakers(above) == expected
    one_folder = load_clips([files.root / "one"])
    assert set(speakers(name_speakers(one_folder, "{speaker}/{_}.wav")).values()) == {"one"}


def test_a_folder_per_speaker(files: Corpus, tmp_path: Path) -> None:
    expected = dict(zip(NAMES, ("one", "one", "two", "two"), strict=True))
    assert speakers(name_speakers(files, "folder")) == expected
    same_name = tmp_path / "clips" / "two" / "one" / "x.wav"
    same_name.parent.mkdir()
    same_name.write_bytes(b"x")
    deeper = name_speakers(load_clips([tmp_path / "clips"]), "folder")
    assert speakers(deeper)["two/one/x.wav"] == "two/one"  # not the same person as in "one"
    assert set(speakers(name_speakers(load_clips([files.root / "one"]), "folder")).values()) == {
        "one"
    }


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ("file,who\nanna_1.wav,a\nanna_2,a\ntwo/ben_1.wav,b\n", ":who"),
        ("speaker,file\na,one/anna_1\na,./one/anna_2.wav\nb,clips/two/ben_1.wav\n", ""),
        ("clip,person id\nanna_1,a\nanna_2,a\nben_1,b\nnotes,\n", ":person id"),
    ],
)
def test_a_table(files: Corpus, tmp_path: Path, rows: str, rule: str) -> None:
    table = tmp_path / "people.csv"
    table.write_text(rows)
    named = name_speakers(files, f"{table}{rule}")
    assert speakers(named) == dict(zip(NAMES[:3], ("a", "a", "b"), strict=True))
    assert list(reasons(named)) == [NAMES[3]]
    assert "for this file" in reasons(named)[NAMES[3]]


def test_a_name_that_two_files_have_needs_its_folder(files: Corpus, tmp_path: Path) -> None:
    (files.root / "two" / "anna_1.wav").write_bytes(b"another one")
    table = tmp_path / "people.csv"
    table.write_text("file,speaker\nanna_1.wav,a\nanna_2.wav,a\ntwo/anna_1.wav,c\n")
    named = name_speakers(load_clips([files.root]), str(table))
    assert speakers(named) == {"one/anna_2.wav": "a", "two/anna_1.wav": "c"}


@pytest.mark.parametrize(
    ("rule", "kind", "words"),
    [
        ("anna", SettingsError, "Give the word 'folder', a pattern"),
        ("{take}.wav", SettingsError, "has no {speaker}"),
        ("{person}.wav", SettingsError, "Unknown placeholder {person}"),
        ("{speaker}-{take}.wav", CorpusError, "of none of the 4 files was found"),
        ("missing.csv", CorpusError, "cannot be read"),
        ("{table}:age", CorpusError, "has no column 'age'"),
        ("{table}:file", CorpusError, "names no files"),
        ("{twice}", CorpusError, "gives 'a.wav' two speakers, 'x' and, in line 3, 'y'"),
    ],
)
def test_rules_that_cannot_be_followed(
    files: Corpus, tmp_path: Path, rule: str, kind: type[AverError], words: str
) -> None:
    (tmp_path / "table.csv").write_text("file,speaker\na.wav,x\n")
    (tmp_path / "twice.csv").write_text("file,speaker\na.wav,x\na.wav,y\n")
    for name in ("table", "twice"):
        rule = rule.replace(f"{{{name}}}", str(tmp_path / f"{name}.csv"))
    with pytest.raises(kind) as raised:
        name_speakers(files, rule)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
