"""Rows assigned to folds and subsets, and names of clips."""

import pytest

from audit.written_lists import leaks, subsets_of, write
from aver.audit import ReadingSettings, audit_split, read_listing
from aver.audit.audit_media import files_in_folder
from aver.errors import SplitError

MELD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


def test_a_table_with_a_column_of_folds_tests_each_in_turn(tmp_path):
    text = "path,speaker,fold\na,1,1\nb,1,2\nc,2,2\n"
    listing = read_listing([write(tmp_path / "cv.csv", text)])
    assert subsets_of(listing, 0) == {"train": ["b", "c"], "test": ["a"]}
    assert subsets_of(listing, 1) == {"train": ["a"], "test": ["b", "c"]}
    assert leaks(listing) == {"shared-speakers"}


def test_running_ids_of_two_lists_are_different_clips(tmp_path):
    train = write(tmp_path / "train.csv", "id,path,speaker\n0,a.wav,1\n")
    test = write(tmp_path / "test.csv", "id,path,speaker\n0,b.wav,2\n")
    assert leaks(read_listing([train, test])) == set()


def test_running_names_and_numbers_per_speaker_are_different_clips(tmp_path):
    lists = []
    for subset, speaker in (("train", "1"), ("test", "2")):
        text = f"id,path,speaker\nutt_1,{subset}/{speaker}_k.wav,{speaker}\n"
        lists.append(write(tmp_path / f"{subset}.csv", text))
    assert leaks(read_listing(lists)) == set()
    text = "id,speaker,subset\n1,anna,train\n1,bert,test\n2,bert,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert subsets_of(listing) == {"train": ["anna 1"], "test": ["bert 1", "2"]}
    assert leaks(listing) == set()
    text = "id,speaker,subset\n1,anna,train\n1,anna,test\n"
    assert "shared-clips" in leaks(read_listing([write(tmp_path / "same.csv", text)]))


def test_a_column_that_repeats_for_several_files_of_a_subset_is_not_an_id(tmp_path):
    text = "name,path,subset\nanna,a/1_x.wav,train\nanna,a/2_x.wav,train\nanna,b/3_x.wav,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert subsets_of(listing) == {"train": ["a/1_x.wav", "a/2_x.wav"], "test": ["b/3_x.wav"]}
    assert leaks(listing) == set()


def test_one_id_for_a_file_in_each_subset_is_one_clip(tmp_path):
    text = "id,path,subset\nk_1_a,here/x_1.wav,train\nk_1_a,there/y_1.wav,test\n"
    assert leaks(read_listing([write(tmp_path / "all.csv", text)])) == {"shared-clips"}


def test_subsets_within_each_fold_of_one_table(tmp_path):
    rows = [
        f"{name}_k.wav,{name},{fold},{'test' if name == 'abc'[fold] else 'train'}"
        for fold in range(3)
        for name in "abc"
    ]
    text = "\n".join(["path,speaker,fold,split", *rows])
    listing = read_listing([write(tmp_path / "cv.csv", text)])
    assert [subsets_of(listing, fold)["test"] for fold in range(3)] == [
        ["a_k.wav"],
        ["b_k.wav"],
        ["c_k.wav"],
    ]
    assert leaks(listing) == set()
    leaking = text.replace("b_k.wav,b,0,train", "b_k.wav,a,0,train")
    assert leaks(read_listing([write(tmp_path / "cv.csv", leaking)])) == {"shared-speakers"}


def test_folds_within_a_subset_are_ignored(tmp_path):
    text = "path,speaker,fold,split\na,1,1,train\nb,1,2,train\nc,2,,test\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert subsets_of(listing) == {"train": ["a", "b"], "test": ["c"]}


def test_clips_of_unknown_subsets_are_reported(tmp_path):
    text = "path,speaker,split\na,1,Train set\nb,2,test\nc,1,held-out\nd,2,\n"
    listing = read_listing([write(tmp_path / "all.csv", text)])
    assert subsets_of(listing) == {"train": ["a"], "test": ["b"]}
    (warning,) = [f for f in audit_split(listing).warnings if f.kind == "unknown-subsets"]
    assert warning.subjects == ("c (held-out)", "d (nothing)")


def test_numbers_of_dialogues_and_utterances_start_again_in_each_subset(tmp_path):
    said = {"train": ("Yes.", "No."), "dev": ("Oh!", "So?"), "test": ("Why?", "Hm.")}
    for subset, words in said.items():
        rows = [
            f'1,"{words[0]}",{subset} one,joy,positive,0,0',
            f'2,"{words[1]}",{subset} two,anger,negative,0,1',
            f'3,"{words[1]}",{subset} two,anger,negative,1,0',
        ]
        write(tmp_path / f"{subset}_sent_emo.csv", MELD + "\n".join(rows) + "\n")
    listing = read_listing([tmp_path])
    assert subsets_of(listing)["test"] == ["test/dia0_utt0", "test/dia0_utt1", "test/dia1_utt0"]
    assert leaks(listing) == set()
    assert listing.entries["test/dia0_utt1"].speaker == "test two"
    shared = (tmp_path / "test_sent_emo.csv").read_text().replace("test two", "train two")
    write(tmp_path / "test_sent_emo.csv", shared)
    (leak,) = audit_split(read_listing([tmp_path])).leaks
    assert (leak.kind, leak.subjects) == ("shared-speakers", ("train two",))


def test_the_same_utterance_of_a_dialogue_in_two_subsets_is_one_clip(tmp_path):
    text = MELD.replace("Sr No.", "Split") + "train,Yes.,Ross,joy,x,0,0\ntest,Yes.,Ross,joy,x,0,0\n"
    assert "shared-clips" in leaks(read_listing([write(tmp_path / "all.csv", text)]))


def test_videos_in_folders_with_other_names_for_the_subset(tmp_path):
    rows = {subset: f"1,{subset},{subset} one,joy,x,0,0\n" for subset in ("train", "test")}
    for subset, row in rows.items():
        write(tmp_path / "lists" / f"{subset}.csv", MELD + row)
    videos = tmp_path / "videos"
    here = write(videos / "train_splits" / "dia0_utt0.mp4", "x")
    there = write(videos / "output_repeated_splits_test" / "dia0_utt0.mp4", "y")
    places = files_in_folder(read_listing([tmp_path / "lists"]), videos)
    assert places["train/dia0_utt0"].video == here
    assert places["test/dia0_utt0"].video == there


def test_numbered_pieces_of_named_videos(tmp_path):
    text = (
        "video_id,clip_id,text,label,annotation,mode\n"
        "ab_1,0,good,2.4,Positive,train\nab_1,1,fine,1.0,Positive,train\n"
        "cd_2,0,bad,-2.4,Negative,valid\nef_3,0,no,-1.8,Negative,test\n"
    )
    listing = read_listing([write(tmp_path / "label.csv", text)])
    assert subsets_of(listing) == {
        "train": ["ab_1_0", "ab_1_1"],
        "validation": ["cd_2_0"],
        "test": ["ef_3_0"],
    }
    assert leaks(listing) == set()
    assert listing.entries["ef_3_0"].emotion == "negative", "a degree of valence is no class"
    one = read_listing([write(tmp_path / "label.csv", text.replace("ef_3,0", "cd_2,1"))])
    assert leaks(one) == {"shared-performances"}, "two pieces of one video"
    for place in ("Raw/ab_1/1.mp4", "Raw/cd_2/0.mp4", "ef_3_0.mp4"):
        write(tmp_path / place, place)
    places = files_in_folder(listing, tmp_path)
    found = {name: place.video.relative_to(tmp_path).as_posix() for name, place in places.items()}
    assert found == {
        "ab_1_1": "Raw/ab_1/1.mp4",
        "cd_2_0": "Raw/cd_2/0.mp4",
        "ef_3_0": "ef_3_0.mp4",
    }


def test_equal_numbers_with_different_sentences_are_different_clips_or_an_error(tmp_path):
    train = write(tmp_path / "train.csv", "id,text\n0,yes\n1,no\n")
    test = write(tmp_path / "test.csv", "id,text\n0,why\n1,oh\n")
    assert leaks(read_listing([train, test])) == set()
    test = write(tmp_path / "test.csv", "utterance_id,text\n0,why\n0,oh\n")
    with pytest.raises(SplitError, match=r"called '.*0': numbers alone.*--column name=NAME"):
        read_listing([train, test])
    columns = {"name": "nr", "performance": "talk"}
    text = "nr,talk,text,split\n0,a,why,train\n0,b,oh,test\n"
    path = write(tmp_path / "all.csv", text)
    listing = read_listing([path], settings=ReadingSettings(columns=columns))
    assert subsets_of(listing) == {"train": ["a_0"], "test": ["b_0"]}
