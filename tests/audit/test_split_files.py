"""Lists and media per subset, per fold, or both, in files and folders."""

import json

from audit.written_lists import leaks, subsets_of, write
from aver.audit import ReadingSettings, audit_media, audit_split, read_listing
from aver.audit.audit_media import files_in_folder


def test_one_csv_per_subset_and_a_pattern(tmp_path):
    train = write(tmp_path / "train.csv", "wav\nx/anna-01-sad.wav\n")
    test = write(tmp_path / "test.csv", "wav\nx/bert-01-sad.wav\nx/anna-02-sad.wav\n")
    blind = read_listing([train, test])
    assert leaks(blind) == set()
    settings = ReadingSettings(pattern="{speaker}-{take}-{emotion}.wav")
    seeing = read_listing([train, test], settings=settings)
    assert leaks(seeing) == {"shared-speakers"}
    assert seeing.entries["x/bert-01-sad.wav"].emotion == "sad"


def test_emobox_folds(tmp_path):
    for fold, (train, test) in enumerate([("03a01Fa", "08a01Fa"), ("08a02Na", "03a02Na")], 1):
        for subset, name in (("train", train), ("test", test)):
            record = {"key": f"emodb-{name}", "wav": f"downloads/emodb/wav/{name}.wav", "emo": "x"}
            file = tmp_path / f"fold_{fold}" / f"emodb_{subset}_fold_{fold}.jsonl"
            write(file, json.dumps(record) + "\n")
    listing = read_listing([tmp_path])
    assert len(listing.folds) == 2
    assert listing.entries["emodb-08a02Na"].speaker == "emodb:08"
    assert leaks(listing) == set()


def test_speechbrain_json_per_subset(tmp_path):
    for subset, name, speaker in (("train", "u1", "7"), ("valid", "u2", "8"), ("test", "u3", "7")):
        record = {name: {"wav": f"{{data_root}}/{name}.wav", "spk_id": speaker, "emo": "ang"}}
        write(tmp_path / f"{subset}.json", json.dumps(record))
    listing = read_listing([tmp_path])
    assert subsets_of(listing) == {"train": ["u1"], "validation": ["u2"], "test": ["u3"]}
    (leak,) = audit_split(listing).leaks
    assert (leak.kind, leak.subsets, leak.subjects) == (
        "shared-speakers",
        ("train", "test"),
        ("7",),
    )


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


def test_media_in_folders_per_subset(tmp_path):
    for place in ("train/happy/s1_ha_1.avi", "valid/happy/s2_ha_1.avi", "test/happy/s1_ha_2.avi"):
        write(tmp_path / place, "x")
    listing = read_listing([tmp_path])
    assert listing.entries["train/happy/s1_ha_1.avi"].emotion == "happy"
    (leak,) = audit_split(listing).leaks
    assert leak.subjects == ("enterface:1",)


def test_names_of_media_that_were_not_fetched_are_audited(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    write(tmp_path / "train" / "1001_DFA_ANG_XX.wav", pointer)
    write(tmp_path / "test" / "1001_IEO_SAD_XX.wav", "")
    listing = read_listing([tmp_path])
    assert leaks(listing) == {"shared-speakers"}
    (note,) = [f for f in audit_media(listing, tmp_path).notes if f.kind == "unreadable-media"]
    assert len(note.subjects) == 2


def test_folders_of_media_with_a_list_in_each(tmp_path):
    for subset, speaker in (("train", "7"), ("test", "7")):
        text = f"file_name,speaker_id,label\nclips/1_{subset}.wav,{speaker},sad\n"
        write(tmp_path / subset / "metadata.csv", text)
        write(tmp_path / subset / "clips" / f"1_{subset}.wav", "x")
    listing = read_listing([tmp_path])
    assert subsets_of(listing) == {
        "train": ["train/clips/1_train.wav"],
        "test": ["test/clips/1_test.wav"],
    }
    assert leaks(listing) == {"shared-speakers"}
    assert len(files_in_folder(listing, tmp_path)) == 2


def test_a_list_or_a_folder_per_fold_is_tested_in_turn(tmp_path):
    for fold in ("1", "2", "10"):
        write(tmp_path / "lists" / f"fold_{fold}.csv", f"path,speaker\nx/a_{fold}x.wav,s{fold}\n")
        name = f"Ses0{fold[0]}F_impro{int(fold):02d}_F001.wav"
        write(tmp_path / "media" / f"Session{fold}" / name, "x")
    listing = read_listing([tmp_path / "lists"])
    tested = [subsets_of(listing, fold)["test"] for fold in range(3)]
    assert tested == [["x/a_1x.wav"], ["x/a_2x.wav"], ["x/a_10x.wav"]]
    assert subsets_of(listing, 1)["train"] == ["x/a_1x.wav", "x/a_10x.wav"]
    assert leaks(listing) == set()
    shared = read_listing([tmp_path / "media"])
    (first, *_) = audit_split(shared).leaks
    assert (first.kind, first.subjects) == ("shared-speakers", ("iemocap:Ses01F",))
    assert first.fold == 1


def test_the_form_names_the_lists_that_were_read(tmp_path):
    for name in ("train.txt", "test.txt", "readme.txt"):
        write(tmp_path / name, f"{name}_x.wav\n")
    assert read_listing([tmp_path]).form == "lists per subset (test.txt, train.txt)"


def test_training_and_validation_in_one_list_are_training(tmp_path):
    value = {"trainval": ["a"], "test": ["a"]}
    listing = read_listing([write(tmp_path / "s.json", json.dumps(value))])
    assert "shared-clips" in leaks(listing)
    two = read_listing(
        [write(tmp_path / "s.json", json.dumps({"train_val": ["b"], "test": ["a"]}))]
    )
    assert two.unassigned == ("b (train_val)",), "which of the two is not said"
