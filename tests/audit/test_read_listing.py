"""`read_listing`: columns, names, speakers, errors."""

import json

import pytest

from audit.written_lists import leaks, subsets_of, write
from aver.audit import ReadingSettings, audit_split, read_listing
from aver.audit.audit_media import files_in_corpus
from aver.cli.main import main
from aver.corpora import open_corpus
from aver.errors import SettingsError, SplitError
from aver.splits import Fold, Split, make_split, save_split
from aver.splits.split import SUBSETS


def test_a_table_with_a_column_of_subsets(tmp_path):
    text = "file,spk,split\na.wav,1,train\nb.wav,2,dev\nc.wav,3,eval\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert subsets_of(listing) == {"train": ["a.wav"], "validation": ["b.wav"], "test": ["c.wav"]}
    assert listing.entries["b.wav"].speaker == "2"
    assert leaks(listing) == set()


def test_columns_with_names_given_by_the_user(tmp_path):
    path = write(tmp_path / "x.csv", "datei,wer,teil\na.wav,anna,train\nb.wav,anna,test\n")
    columns = {"path": "datei", "speaker": "wer", "subset": "teil"}
    assert leaks(read_listing([path], settings=ReadingSettings(columns=columns))) == {
        "shared-speakers"
    }
    wrong = ReadingSettings(columns=columns | {"speaker": "whom"})
    with pytest.raises(SplitError, match=r"no column 'whom'. It has: datei, teil, wer\."):
        read_listing([path], settings=wrong)
    value = {"train": {"u1": {"wav": "a.wav", "who": "x"}}, "test": {"u2": {"wav": "b.wav"}}}
    subsets = write(tmp_path / "x.json", json.dumps(value))
    with pytest.raises(SplitError, match="no column 'whom'"):
        read_listing([subsets], settings=ReadingSettings(columns={"speaker": "whom"}))
    with pytest.raises(SettingsError, match="cannot hold 'weather'"):
        ReadingSettings(columns={"weather": "x"})


def test_a_pattern_that_matches_no_name_is_an_error(tmp_path):
    path = write(tmp_path / "all.csv", "wav,subset\nx/anna_sad.wav,train\nx/bert_sad.wav,test\n")
    with pytest.raises(SettingsError, match="matches none of 2 names, for instance"):
        read_listing([path], settings=ReadingSettings(pattern="{speaker}-{emotion}.wav"))


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\x0b"])
def test_unicode_line_breaks_in_a_transcript_do_not_end_a_line(tmp_path, sign):
    said = f"Well{sign}no"
    rows = [
        json.dumps({"key": f"{n}_k", "text": said, "split": n}, ensure_ascii=False) for n in SUBSETS
    ]
    table = "key,text,split\n" + "".join(f"{n}_k,{said},{n}\n" for n in SUBSETS)
    for name, text in (("all.jsonl", "\r\n".join(rows)), ("all.csv", table)):
        path = tmp_path / name
        path.write_bytes(text.encode())
        assert subsets_of(read_listing([path])) == {n: [f"{n}_k"] for n in SUBSETS}
    for subset in SUBSETS:
        write(tmp_path / "kaldi" / subset / "utt2spk", f"{subset}_k {subset}\n")
        (tmp_path / "kaldi" / subset / "text").write_bytes(f"{subset}_k {said}\n".encode())
    assert read_listing([tmp_path / "kaldi"]).entries["test_k"].sentence == said


@pytest.mark.parametrize("column", ["source,RAVDESS", "original,True", "recording,1"])
def test_a_corpus_or_a_flag_is_not_a_performance(tmp_path, column):
    name, value = column.split(",")
    text = f"path,speaker,{name},split\na_x.wav,1,{value},train\nb_x.wav,2,{value},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == set()


def test_a_transcript_is_not_a_name(tmp_path):
    text = "id,Utterance,Speaker,split\nk_a,Okay.,Joey,train\nk_b,Okay.,Ross,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert leaks(listing) == set()
    assert listing.entries["k_b"].sentence == "Okay."
    text = "Utterance,Speaker,split\nOkay.,Joey,train\nOkay.,Ross,test\n"
    with pytest.raises(SplitError, match="names no clips"):
        read_listing([write(tmp_path / "nameless.csv", text)])


def test_an_error_about_columns_shows_those_of_the_list(tmp_path):
    with pytest.raises(SplitError, match=r"first line is: Utterance,Speaker,split\."):
        read_listing([write(tmp_path / "a.csv", "Utterance,Speaker,split\nOkay.,Joey,train\n")])


def test_text_with_files_labels_and_subsets_in_one_line(tmp_path):
    text = (
        "A1/01-01-05-01-02-01-01_faces.npy;A1/03-01-05-01-02-01-01_crop.wav;5;training\n"
        "A2/01-01-05-01-02-01-02_faces.npy;A2/03-01-05-01-02-01-02_crop.wav;5;validation\n"
        "A2/01-01-05-01-01-01-02_faces.npy;A2/03-01-05-01-01-01-02_crop.wav;5;testing\n"
    )
    listing = read_listing([write(tmp_path / "annotations.txt", text)])
    assert {subset: len(names) for subset, names in subsets_of(listing).items()} == {
        "train": 1,
        "validation": 1,
        "test": 1,
    }
    assert leaks(listing) == {"shared-speakers"}


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_delimiters(tmp_path, sign):
    text = "path;speaker;split\na.wav;1;train\nb.wav;1;test\n".replace(";", sign)
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-speakers"}


def test_plain_text_lists(tmp_path):
    write(tmp_path / "train.txt", "a/1001_DFA_ANG_XX.wav 0\n")
    write(tmp_path / "test.lst", "a/1001_DFA_SAD_XX.wav 1\n")
    assert leaks(read_listing([tmp_path])) == {"shared-speakers"}


@pytest.mark.parametrize(
    ("one", "other"), [("1", "01"), ("7", "7.0"), ("007", "7"), ("Ann", "ann")]
)
def test_spellings_of_one_speaker_are_unified(tmp_path, one, other):
    text = f"path,speaker,subset\na_x.wav,{one},train\nb_x.wav,{other},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-speakers"}


@pytest.mark.parametrize(
    ("one", "other"), [("1", "10"), ("1.0", "1.5"), ("0", "00a"), ("a1", "a01")]
)
def test_different_speakers_stay_different(tmp_path, one, other):
    text = f"path,speaker,subset\na_x.wav,{one},train\nb_x.wav,{other},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == set()


@pytest.mark.parametrize(("one", "other"), [("F", "female"), ("w", "woman"), ("Male", "m")])
def test_words_for_a_sex(tmp_path, one, other):
    text = f"path,speaker,gender,subset\na_x.wav,1,{one},train\nb_x.wav,2,{other},test\n"
    report = audit_split(read_listing([write(tmp_path / "all.csv", text)]))
    assert "sex-imbalance" not in {finding.kind for finding in report.findings}


def test_two_names_of_one_speaker_are_unified(tmp_path, data_root):
    train = "path,actor\n03-01-05-01-02-01-12.wav,twelve\n"
    write(tmp_path / "train.csv", train)
    write(tmp_path / "dev.csv", "path,actor\n03-01-05-01-02-01-11.wav,\n")
    write(tmp_path / "test.csv", "path\n03-01-04-01-02-01-12.wav\n")
    (leak,) = audit_split(read_listing([tmp_path])).leaks
    assert (leak.kind, leak.subjects) == ("shared-speakers", ("twelve",))
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    known, lost = corpus.clips[0], f"02-07-02-02-02-{corpus.clips[0].speaker}"
    split = Split("x", "ravdess", 0, (Fold((known.clip_id,), (), (lost,)),))
    (leak,) = audit_split(split, corpus).leaks
    assert (leak.kind, leak.subjects) == ("shared-speakers", (known.speaker,))


def test_clips_of_a_corpus_are_recognized_under_other_paths(tmp_path, data_root):
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    write(tmp_path / "train.txt", "/their/disk/01-01-05-01-02-01-12.mp4\n")
    write(tmp_path / "test.txt", "/their/disk/03-01-05-01-02-01-12.wav\n/their/disk/x.wav\n")
    listing = read_listing([tmp_path], corpus)
    assert listing.unknown == ("/their/disk/x.wav",)
    places = files_in_corpus(listing, corpus)
    assert len(places) == 2
    assert leaks(listing) == {"shared-performances", "shared-speakers"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "path\nx.wav\n", "does not say which subset"),
        ("a.json", "{broken", "not valid JSON"),
        ("a.csv", "colour,subset\nred,train\n", "names no clips"),  # codespell:ignore
        ("a.json", '{"subset": []}', "subset"),
        ("a.json", '{"train": [], "test": []}', "every subset of it is empty"),
        ("a.json", "3", "does not say which subset"),
        (
            "a.json",
            '{"train": ["a", {"hue": "red"}], "test": ["b"]}',
            "1 of 2 records name no",
        ),
        ("a.csv", "path,subset\n,train\nb,test\n", "1 of 2 records name no clip"),
        ("a.csv", "", "names no clips"),
    ],
)
def test_error_messages(tmp_path, name, text, words):
    with pytest.raises(SplitError, match=words):
        read_listing([write(tmp_path / name, text)])


def test_the_command_exits_with_status_1_for_a_leak(tmp_path, capsys, data_root):
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    for rule, code in (("speaker-kfold", 0), ("random", 1)):
        path = tmp_path / f"{rule}.json"
        save_split(make_split(corpus, rule), path)
        sarif, junit = tmp_path / "a.sarif", tmp_path / "a.xml"
        words = ["audit", str(path), "--json", "--sarif", str(sarif), "--junit", str(junit)]
        assert main(words) == code
        printed = json.loads(capsys.readouterr().out)
        assert printed["exit_code"] == code
        assert json.loads(sarif.read_text())["version"] == "2.1.0"
        assert junit.read_text().startswith("<?xml")
    assert main(["audit", str(tmp_path / "missing.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
