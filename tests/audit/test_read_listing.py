import json
from pathlib import Path

import pytest

from aver.audit import ReadingSettings, audit_media, audit_split, read_listing
from aver.audit.media_places import places_in_corpus, places_in_folder
from aver.cli.main import main
from aver.corpora import open_corpus
from aver.errors import SettingsError, SplitError
from aver.splits import Fold, Split, make_split, save_split
from aver.splits.split import PARTS


def parts_of(listing, fold=0):
    return {part: list(names) for part, names in listing.folds[fold].items() if names}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def leaks(listing):
    return {finding.kind for finding in audit_split(listing).leaks}


def test_a_table_with_a_part_column(tmp_path):
    text = "file,spk,split\na.wav,1,train\nb.wav,2,dev\nc.wav,3,eval\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert parts_of(listing) == {"train": ["a.wav"], "validation": ["b.wav"], "test": ["c.wav"]}
    assert listing.entries["b.wav"].speaker == "2"
    assert leaks(listing) == set()


def test_a_table_with_a_column_of_folds_tests_each_in_turn(tmp_path):
    text = "path,speaker,fold\na,1,1\nb,1,2\nc,2,2\n"
    listing = read_listing([write(tmp_path / "cv.csv", text)])
    assert parts_of(listing, 0) == {"train": ["b", "c"], "test": ["a"]}
    assert parts_of(listing, 1) == {"train": ["a"], "test": ["b", "c"]}
    assert leaks(listing) == {"shared-speakers"}


def test_columns_by_any_name(tmp_path):
    path = write(tmp_path / "x.csv", "datei,wer,teil\na.wav,anna,train\nb.wav,anna,test\n")
    columns = {"path": "datei", "speaker": "wer", "part": "teil"}
    assert leaks(read_listing([path], settings=ReadingSettings(columns=columns))) == {
        "shared-speakers"
    }
    wrong = ReadingSettings(columns=columns | {"speaker": "whom"})
    with pytest.raises(SplitError, match=r"no column 'whom'. It has: datei, teil, wer\."):
        read_listing([path], settings=wrong)
    value = {"train": {"u1": {"wav": "a.wav", "who": "x"}}, "test": {"u2": {"wav": "b.wav"}}}
    parts = write(tmp_path / "x.json", json.dumps(value))
    with pytest.raises(SplitError, match="no column 'whom'"):
        read_listing([parts], settings=ReadingSettings(columns={"speaker": "whom"}))
    with pytest.raises(SettingsError, match="cannot tell 'weather'"):
        ReadingSettings(columns={"weather": "x"})


def test_one_csv_per_part_and_a_pattern(tmp_path):
    train = write(tmp_path / "train.csv", "wav\nx/anna-01-sad.wav\n")
    test = write(tmp_path / "test.csv", "wav\nx/bert-01-sad.wav\nx/anna-02-sad.wav\n")
    blind = read_listing([train, test])
    assert leaks(blind) == set()
    settings = ReadingSettings(pattern="{speaker}-{take}-{emotion}.wav")
    seeing = read_listing([train, test], settings=settings)
    assert leaks(seeing) == {"shared-speakers"}
    assert seeing.entries["x/bert-01-sad.wav"].emotion == "sad"


def test_a_pattern_that_fits_no_name_is_refused(tmp_path):
    path = write(tmp_path / "all.csv", "wav,part\nx/anna_sad.wav,train\nx/bert_sad.wav,test\n")
    with pytest.raises(SettingsError, match="fits none of 2 names, for instance"):
        read_listing([path], settings=ReadingSettings(pattern="{speaker}-{emotion}.wav"))


def test_emobox_folds(tmp_path):
    for fold, (train, test) in enumerate([("03a01Fa", "08a01Fa"), ("08a02Na", "03a02Na")], 1):
        for part, name in (("train", train), ("test", test)):
            record = {"key": f"emodb-{name}", "wav": f"downloads/emodb/wav/{name}.wav", "emo": "x"}
            file = tmp_path / f"fold_{fold}" / f"emodb_{part}_fold_{fold}.jsonl"
            write(file, json.dumps(record) + "\n")
    listing = read_listing([tmp_path])
    assert len(listing.folds) == 2
    assert listing.entries["emodb-08a02Na"].speaker == "emodb:08"
    assert leaks(listing) == set()


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\x0b"])
def test_signs_in_what_is_said_end_no_line(tmp_path, sign):
    said = f"Well{sign}no"
    rows = [
        json.dumps({"key": f"{n}_k", "text": said, "split": n}, ensure_ascii=False) for n in PARTS
    ]
    table = "key,text,split\n" + "".join(f"{n}_k,{said},{n}\n" for n in PARTS)
    for name, text in (("all.jsonl", "\r\n".join(rows)), ("all.csv", table)):
        path = tmp_path / name
        path.write_bytes(text.encode())
        assert parts_of(read_listing([path])) == {n: [f"{n}_k"] for n in PARTS}
    for part in PARTS:
        write(tmp_path / "kaldi" / part / "utt2spk", f"{part}_k {part}\n")
        (tmp_path / "kaldi" / part / "text").write_bytes(f"{part}_k {said}\n".encode())
    assert read_listing([tmp_path / "kaldi"]).entries["test_k"].sentence == said


def test_speechbrain_json_per_part(tmp_path):
    for part, name, speaker in (("train", "u1", "7"), ("valid", "u2", "8"), ("test", "u3", "7")):
        record = {name: {"wav": f"{{data_root}}/{name}.wav", "spk_id": speaker, "emo": "ang"}}
        write(tmp_path / f"{part}.json", json.dumps(record))
    listing = read_listing([tmp_path])
    assert parts_of(listing) == {"train": ["u1"], "validation": ["u2"], "test": ["u3"]}
    (leak,) = audit_split(listing).leaks
    assert (leak.kind, leak.parts, leak.subjects) == ("shared-speakers", ("train", "test"), ("7",))


def test_kaldi_folders_with_perturbed_copies_and_segments(tmp_path):
    write(tmp_path / "train" / "utt2spk", "sp0.9-u1 s1\nu5 s5\n")
    write(tmp_path / "train" / "segments", "u5 tape1 0.0 2.0\n")
    write(tmp_path / "test" / "utt2spk", "u1 s2\nu6 s6\n")
    write(tmp_path / "test" / "segments", "u6 tape1 2.0 4.0\n")
    listing = read_listing([tmp_path])
    report = audit_split(listing)
    subjects = {leak.kind: leak.subjects for leak in report.leaks}
    assert subjects["derived-copies"] == ("sp0.9-u1 = u1",)
    assert subjects["shared-performances"] == ("u5 = u6",), "two cuts of one tape"


def test_media_in_folders_per_part(tmp_path):
    for place in ("train/happy/s1_ha_1.avi", "valid/happy/s2_ha_1.avi", "test/happy/s1_ha_2.avi"):
        write(tmp_path / place, "x")
    listing = read_listing([tmp_path])
    assert listing.entries["train/happy/s1_ha_1.avi"].emotion == "happy"
    (leak,) = audit_split(listing).leaks
    assert leak.subjects == ("enterface:1",)


def test_names_of_media_that_were_not_fetched_tell_too(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    write(tmp_path / "train" / "1001_DFA_ANG_XX.wav", pointer)
    write(tmp_path / "test" / "1001_IEO_SAD_XX.wav", "")
    listing = read_listing([tmp_path])
    assert leaks(listing) == {"shared-speakers"}
    (note,) = [f for f in audit_media(listing, tmp_path).notes if f.kind == "unreadable-media"]
    assert len(note.subjects) == 2


def test_folders_of_media_with_a_list_in_each(tmp_path):
    for part, speaker in (("train", "7"), ("test", "7")):
        text = f"file_name,speaker_id,label\nclips/1_{part}.wav,{speaker},sad\n"
        write(tmp_path / part / "metadata.csv", text)
        write(tmp_path / part / "clips" / f"1_{part}.wav", "x")
    listing = read_listing([tmp_path])
    assert parts_of(listing) == {
        "train": ["train/clips/1_train.wav"],
        "test": ["test/clips/1_test.wav"],
    }
    assert leaks(listing) == {"shared-speakers"}
    assert len(places_in_folder(listing, tmp_path)) == 2


def test_a_path_within_a_record(tmp_path):
    rows = [{"audio": {"path": f"{n}_a.wav", "bytes": None}, "split": n} for n in ("train", "test")]
    path = write(tmp_path / "all.jsonl", "\n".join(map(json.dumps, rows)))
    assert parts_of(read_listing([path])) == {"train": ["train_a.wav"], "test": ["test_a.wav"]}


def test_nnunet_style_list_of_folds(tmp_path):
    folds = [{"train": ["a", "b"], "val": ["c"]}, {"train": ["a", "c"], "val": ["b"]}]
    listing = read_listing([write(tmp_path / "splits_final.json", json.dumps(folds))])
    assert [parts_of(listing, n)["validation"] for n in (0, 1)] == [["c"], ["b"]]


def test_a_list_or_a_folder_per_fold_is_tested_in_turn(tmp_path):
    for fold in ("1", "2", "10"):
        write(tmp_path / "lists" / f"fold_{fold}.csv", f"path,speaker\nx/a_{fold}x.wav,s{fold}\n")
        name = f"Ses0{fold[0]}F_impro{int(fold):02d}_F001.wav"
        write(tmp_path / "media" / f"Session{fold}" / name, "x")
    listing = read_listing([tmp_path / "lists"])
    tested = [parts_of(listing, fold)["test"] for fold in range(3)]
    assert tested == [["x/a_1x.wav"], ["x/a_2x.wav"], ["x/a_10x.wav"]]
    assert parts_of(listing, 1)["train"] == ["x/a_1x.wav", "x/a_10x.wav"]
    assert leaks(listing) == set()
    shared = read_listing([tmp_path / "media"])
    (first, *_) = audit_split(shared).leaks
    assert (first.kind, first.subjects) == ("shared-speakers", ("iemocap:Ses01F",))
    assert first.fold == 1


def test_a_folder_says_which_of_its_lists_were_read(tmp_path):
    for name in ("train.txt", "test.txt", "readme.txt"):
        write(tmp_path / name, f"{name}_x.wav\n")
    assert read_listing([tmp_path]).form == "lists per part (test.txt, train.txt)"


def test_running_ids_do_not_make_clips_of_two_lists_one(tmp_path):
    train = write(tmp_path / "train.csv", "id,path,speaker\n0,a.wav,1\n")
    test = write(tmp_path / "test.csv", "id,path,speaker\n0,b.wav,2\n")
    assert leaks(read_listing([train, test])) == set()


def test_running_names_and_numbers_per_speaker_do_not_either(tmp_path):
    lists = []
    for part, speaker in (("train", "1"), ("test", "2")):
        text = f"id,path,speaker\nutt_1,{part}/{speaker}_k.wav,{speaker}\n"
        lists.append(write(tmp_path / f"{part}.csv", text))
    assert leaks(read_listing(lists)) == set()
    text = "id,speaker,part\n1,anna,train\n1,bert,test\n2,bert,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert parts_of(listing) == {"train": ["anna 1"], "test": ["bert 1", "2"]}
    assert leaks(listing) == set()
    text = "id,speaker,part\n1,anna,train\n1,anna,test\n"
    assert "shared-clips" in leaks(read_listing([write(tmp_path / "same.csv", text)]))


def test_a_column_that_repeats_under_several_files_of_a_part_is_no_id(tmp_path):
    text = "name,path,part\nanna,a/1_x.wav,train\nanna,a/2_x.wav,train\nanna,b/3_x.wav,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert parts_of(listing) == {"train": ["a/1_x.wav", "a/2_x.wav"], "test": ["b/3_x.wav"]}
    assert leaks(listing) == set()


def test_one_id_for_a_file_in_each_part_stays_one_clip(tmp_path):
    text = "id,path,part\nk_1_a,here/x_1.wav,train\nk_1_a,there/y_1.wav,test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-clips"}


def test_parts_within_each_fold_of_one_long_table(tmp_path):
    rows = [
        f"{name}_k.wav,{name},{fold},{'test' if name == 'abc'[fold] else 'train'}"
        for fold in range(3)
        for name in "abc"
    ]
    text = "\n".join(["path,speaker,fold,split", *rows])
    listing = read_listing([write(tmp_path / "cv.csv", text)])
    assert [parts_of(listing, fold)["test"] for fold in range(3)] == [
        ["a_k.wav"],
        ["b_k.wav"],
        ["c_k.wav"],
    ]
    assert leaks(listing) == set()
    leaking = text.replace("b_k.wav,b,0,train", "b_k.wav,a,0,train")
    assert leaks(read_listing([write(tmp_path / "cv.csv", leaking)])) == {"shared-speakers"}


def test_folds_within_a_part_do_not_count(tmp_path):
    text = "path,speaker,fold,split\na,1,1,train\nb,1,2,train\nc,2,,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert parts_of(listing) == {"train": ["a", "b"], "test": ["c"]}


def test_words_that_are_no_part_are_told(tmp_path):
    text = "path,speaker,split\na,1,Train set\nb,2,test\nc,1,held-out\nd,2,\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert parts_of(listing) == {"train": ["a"], "test": ["b"]}
    (warning,) = [f for f in audit_split(listing).warnings if f.kind == "unknown-parts"]
    assert warning.subjects == ("c (held-out)", "d (nothing)")


@pytest.mark.parametrize("column", ["source,RAVDESS", "original,True", "recording,1"])
def test_a_corpus_or_a_flag_is_no_performance(tmp_path, column):
    name, value = column.split(",")
    text = f"path,speaker,{name},split\na_x.wav,1,{value},train\nb_x.wav,2,{value},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == set()


def test_what_is_said_is_no_name(tmp_path):
    text = "id,Utterance,Speaker,split\nk_a,Okay.,Joey,train\nk_b,Okay.,Ross,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert leaks(listing) == set()
    assert listing.entries["k_b"].sentence == "Okay."
    text = "Utterance,Speaker,split\nOkay.,Joey,train\nOkay.,Ross,test\n"
    with pytest.raises(SplitError, match="names no clips"):
        read_listing([write(tmp_path / "nameless.csv", text)])


MELD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


def test_numbers_of_dialogues_and_utterances_count_anew_in_each_part(tmp_path):
    said = {"train": ("Yes.", "No."), "dev": ("Oh!", "So?"), "test": ("Why?", "Hm.")}
    for part, words in said.items():
        rows = [
            f'1,"{words[0]}",{part} one,joy,positive,0,0',
            f'2,"{words[1]}",{part} two,anger,negative,0,1',
            f'3,"{words[1]}",{part} two,anger,negative,1,0',
        ]
        write(tmp_path / f"{part}_sent_emo.csv", MELD + "\n".join(rows) + "\n")
    listing = read_listing([tmp_path])
    assert parts_of(listing)["test"] == ["test/dia0_utt0", "test/dia0_utt1", "test/dia1_utt0"]
    assert leaks(listing) == set()
    assert listing.entries["test/dia0_utt1"].speaker == "test two"
    shared = (tmp_path / "test_sent_emo.csv").read_text().replace("test two", "train two")
    write(tmp_path / "test_sent_emo.csv", shared)
    (leak,) = audit_split(read_listing([tmp_path])).leaks
    assert (leak.kind, leak.subjects) == ("shared-speakers", ("train two",))


def test_the_same_utterance_of_a_dialogue_in_two_parts_is_one_clip(tmp_path):
    text = MELD.replace("Sr No.", "Split") + "train,Yes.,Ross,joy,x,0,0\ntest,Yes.,Ross,joy,x,0,0\n"
    assert "shared-clips" in leaks(read_listing([write(tmp_path / "all.csv", text)]))


def test_films_in_folders_named_otherwise_than_their_part(tmp_path):
    rows = {part: f"1,{part},{part} one,joy,x,0,0\n" for part in ("train", "test")}
    for part, row in rows.items():
        write(tmp_path / "lists" / f"{part}.csv", MELD + row)
    films = tmp_path / "films"
    here = write(films / "train_splits" / "dia0_utt0.mp4", "x")
    there = write(films / "output_repeated_splits_test" / "dia0_utt0.mp4", "y")
    places = places_in_folder(read_listing([tmp_path / "lists"]), films)
    assert places["train/dia0_utt0"].film == here
    assert places["test/dia0_utt0"].film == there


def test_numbered_pieces_of_named_films(tmp_path):
    text = (
        "video_id,clip_id,text,label,annotation,mode\n"
        "ab_1,0,good,2.4,Positive,train\nab_1,1,fine,1.0,Positive,train\n"
        "cd_2,0,bad,-2.4,Negative,valid\nef_3,0,no,-1.8,Negative,test\n"
    )
    listing = read_listing([write(tmp_path / "label.csv", text)])
    assert parts_of(listing) == {
        "train": ["ab_1_0", "ab_1_1"],
        "validation": ["cd_2_0"],
        "test": ["ef_3_0"],
    }
    assert leaks(listing) == set()
    assert listing.entries["ef_3_0"].emotion == "negative", "a degree of valence is no class"
    one = read_listing([write(tmp_path / "label.csv", text.replace("ef_3,0", "cd_2,1"))])
    assert leaks(one) == {"shared-performances"}, "two pieces of one film"
    for place in ("Raw/ab_1/1.mp4", "Raw/cd_2/0.mp4", "ef_3_0.mp4"):
        write(tmp_path / place, place)
    places = places_in_folder(listing, tmp_path)
    found = {name: place.film.relative_to(tmp_path).as_posix() for name, place in places.items()}
    assert found == {
        "ab_1_1": "Raw/ab_1/1.mp4",
        "cd_2_0": "Raw/cd_2/0.mp4",
        "ef_3_0": "ef_3_0.mp4",
    }


def test_bare_numbers_of_other_words_are_other_clips_or_none(tmp_path):
    train = write(tmp_path / "train.csv", "id,text\n0,yes\n1,no\n")
    test = write(tmp_path / "test.csv", "id,text\n0,why\n1,oh\n")
    assert leaks(read_listing([train, test])) == set()
    test = write(tmp_path / "test.csv", "utterance_id,text\n0,why\n0,oh\n")
    with pytest.raises(SplitError, match=r"called '.*0': numbers alone.*--column name=YOURS"):
        read_listing([train, test])
    columns = {"name": "nr", "performance": "talk"}
    text = "nr,talk,text,split\n0,a,why,train\n0,b,oh,test\n"
    path = write(tmp_path / "all.csv", text)
    listing = read_listing([path], settings=ReadingSettings(columns=columns))
    assert parts_of(listing) == {"train": ["a_0"], "test": ["b_0"]}


def test_an_error_about_columns_names_those_of_the_list(tmp_path):
    with pytest.raises(SplitError, match=r"first line is: Utterance,Speaker,split\."):
        read_listing([write(tmp_path / "a.csv", "Utterance,Speaker,split\nOkay.,Joey,train\n")])


def test_training_and_validation_in_one_list_are_learnt_from(tmp_path):
    value = {"trainval": ["a"], "test": ["a"]}
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert "shared-clips" in leaks(listing)
    two = read_listing(
        [write(tmp_path / "s.json", json.dumps({"train_val": ["b"], "test": ["a"]}))]
    )
    assert two.untold == ("b (train_val)",), "which of the two is not said"


def test_lists_under_other_keys_are_told(tmp_path):
    value = {
        "train": ["a"],
        "test_files": ["b"],
        "held-out": ["c", "d"],
        "all": ["a", "b"],
        "classes": ["angry"],
        "test_speakers": ["7"],
    }
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert parts_of(listing) == {"train": ["a"], "test": ["b"]}
    (warning,) = [f for f in audit_split(listing).warnings if f.kind == "unknown-parts"]
    assert warning.subjects == ("c (held-out)", "d (held-out)")
    value = {"folds": [{"train": ["a"], "test": ["b"]}], "final": [{"path": "c.wav"}]}
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert listing.untold == ("c.wav (final)",)


@pytest.mark.parametrize(
    ("value", "folds"),
    [
        (
            {"fold_1": {"train": ["a"], "test": ["b"]}, "fold_2": {"train": ["b"], "test": ["a"]}},
            [{"train": ["a"], "test": ["b"]}, {"train": ["b"], "test": ["a"]}],
        ),
        (
            {"fold_1": ["a"], "fold_2": ["b"]},
            [{"train": ["b"], "test": ["a"]}, {"train": ["a"], "test": ["b"]}],
        ),
        ({"a": "train", "b": "test"}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": [["a", "sad"]], "test": [["b", 3]]}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": {"sad": ["a"]}, "test": {"happy": ["b"]}}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": {"a": "x/1.wav"}, "test": {"b": "x/2.wav"}}, [{"train": ["a"], "test": ["b"]}]),
        ({"train": [10, 11], "test": [12]}, [{"train": ["10", "11"], "test": ["12"]}]),
    ],
)
def test_other_shapes_of_json(tmp_path, value, folds):
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert [parts_of(listing, number) for number in range(len(listing.folds))] == folds
    assert leaks(listing) == set()
    assert listing.untold == ()


def test_text_with_files_labels_and_parts_in_one_line(tmp_path):
    text = (
        "A1/01-01-05-01-02-01-01_faces.npy;A1/03-01-05-01-02-01-01_crop.wav;5;training\n"
        "A2/01-01-05-01-02-01-02_faces.npy;A2/03-01-05-01-02-01-02_crop.wav;5;validation\n"
        "A2/01-01-05-01-01-01-02_faces.npy;A2/03-01-05-01-01-01-02_crop.wav;5;testing\n"
    )
    listing = read_listing([write(tmp_path / "annotations.txt", text)])
    assert {part: len(names) for part, names in parts_of(listing).items()} == {
        "train": 1,
        "validation": 1,
        "test": 1,
    }
    assert leaks(listing) == {"shared-speakers"}


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_signs_between_columns(tmp_path, sign):
    text = "path;speaker;split\na.wav;1;train\nb.wav;1;test\n".replace(";", sign)
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-speakers"}


def test_plain_text_lists(tmp_path):
    write(tmp_path / "train.txt", "a/1001_DFA_ANG_XX.wav 0\n")
    write(tmp_path / "test.lst", "a/1001_DFA_SAD_XX.wav 1\n")
    assert leaks(read_listing([tmp_path])) == {"shared-speakers"}


@pytest.mark.parametrize(
    ("one", "other"), [("1", "01"), ("7", "7.0"), ("007", "7"), ("Ann", "ann")]
)
def test_one_speaker_spelt_otherwise_is_one(tmp_path, one, other):
    text = f"path,speaker,part\na_x.wav,{one},train\nb_x.wav,{other},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-speakers"}


@pytest.mark.parametrize(
    ("one", "other"), [("1", "10"), ("1.0", "1.5"), ("0", "00a"), ("a1", "a01")]
)
def test_other_speakers_stay_others(tmp_path, one, other):
    text = f"path,speaker,part\na_x.wav,{one},train\nb_x.wav,{other},test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == set()


@pytest.mark.parametrize(("one", "other"), [("F", "female"), ("w", "woman"), ("Male", "m")])
def test_words_for_a_sex(tmp_path, one, other):
    text = f"path,speaker,gender,part\na_x.wav,1,{one},train\nb_x.wav,2,{other},test\n"
    report = audit_split(read_listing([write(tmp_path / "all.csv", text)]))
    assert "sex-imbalance" not in {finding.kind for finding in report.findings}


def test_one_speaker_by_two_names_is_one(tmp_path, data_root):
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


def test_a_corpus_knows_the_clips_behind_somebody_elses_paths(tmp_path, data_root):
    corpus = open_corpus(data_root / "ravdess", "ravdess")
    write(tmp_path / "train.txt", "/their/disk/01-01-05-01-02-01-12.mp4\n")
    write(tmp_path / "test.txt", "/their/disk/03-01-05-01-02-01-12.wav\n/their/disk/x.wav\n")
    listing = read_listing([tmp_path], corpus)
    assert listing.unknown == ("/their/disk/x.wav",)
    places = places_in_corpus(listing, corpus)
    assert len(places) == 2
    assert leaks(listing) == {"shared-performances", "shared-speakers"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "path\nx.wav\n", "does not say which part"),
        ("a.json", "{broken", "not valid JSON"),
        ("a.csv", "colour,part\nred,train\n", "names no clips"),
        ("a.json", '{"part": []}', "part"),
        ("a.json", '{"train": [], "test": []}', "every part of it is empty"),
        ("a.json", "3", "does not say which part"),
        ("a.json", '{"train": ["a", {"colour": "red"}], "test": ["b"]}', "1 of 2 records name no"),
        ("a.csv", "path,part\n,train\nb,test\n", "1 of 2 records name no clip"),
        ("a.csv", "", "names no clips"),
    ],
)
def test_errors_say_what_to_do(tmp_path, name, text, words):
    with pytest.raises(SplitError, match=words):
        read_listing([write(tmp_path / name, text)])


def test_the_command_exits_with_one_on_a_leak(tmp_path, capsys, data_root):
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
