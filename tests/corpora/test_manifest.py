"""A corpus of one's own, by pattern, table or description file."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from aver.corpora import open_corpus
from aver.corpora.manifest import SHIPPED, Layout, parse_codes, read_layout
from aver.emotions import EMOTIONS
from aver.errors import CorpusError, LabelError, SettingsError
from aver.splits import make_split
from aver.splits.split import load_split, save_split

PATTERN = "{speaker}-{sentence}-{emotion}_{take}.mp4"
LABELS = "01=neutral,02=sad,03=happy,04=surprised,05=fearful,06=angry"


def test_javanese_clips_load_with_one_pattern(data_root):
    corpus = open_corpus(data_root / "javanese-av", "manifest", pattern=PATTERN, labels=LABELS)

    assert len(corpus) == 192
    assert not corpus.problems
    assert Counter(clip.emotion for clip in corpus) == dict.fromkeys(corpus.classes, 32)
    assert Counter(clip.speaker for clip in corpus) == dict.fromkeys(corpus.speakers, 24)
    assert len(corpus.speakers) == 8


def test_javanese_clips_load_with_the_layout_that_is_shipped(data_root):
    corpus = open_corpus(data_root / "javanese-av", "manifest", config="javanese-av")

    sexes = Counter(clip.sex for clip in corpus)
    assert sexes == {"female": 96, "male": 96}
    clip = corpus.by_id["06-02-05_01"]
    assert (clip.speaker, clip.sentence, clip.emotion, clip.take) == ("06", "02", "fearful", "01")
    assert "javanese" in corpus.info.url


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_description_in_the_folder(tmp_path, suffix, plant):
    plant(["anna_1.mp4", "ben_2.mp4"])
    description = {"pattern": "{speaker}_{emotion}.mp4", "labels": {"1": "joy", "2": "sadness"}}
    (tmp_path / f"aver-corpus.{suffix}").write_text(json.dumps(description))  # JSON is YAML

    corpus = open_corpus(tmp_path)

    assert [(clip.speaker, clip.emotion) for clip in corpus] == [("anna", "happy"), ("ben", "sad")]


@pytest.mark.parametrize("key", ["license", "licence"])  # codespell:ignore
def test_license_as_spelled_today_and_in_version_0_1(tmp_path, plant, key):
    plant(["anna_joy.mp4"])
    (tmp_path / "aver-corpus.yaml").write_text(
        f"pattern: '{{speaker}}_{{emotion}}.mp4'\n{key}: CC0\n"
    )

    assert open_corpus(tmp_path).info.license == "CC0"


def test_codes_stay_text_in_yaml(tmp_path, plant):
    plant(["a-010.mp4"])
    (tmp_path / "aver-corpus.yaml").write_text(
        "pattern: '{speaker}-{emotion}.mp4'\nlabels:\n  010: fear\n"
    )

    assert open_corpus(tmp_path).classes == ("fearful",)


@pytest.mark.parametrize(("audio", "subset"), [("audio", "subset"), ("sound", "part")])
def test_table_with_columns_of_today_and_of_version_0_1(tmp_path, plant, audio, subset):
    plant(["x/one.mp4", "two.wav", "three.mp4", "three.wav"])
    (tmp_path / "aver-corpus.csv").write_text(
        f"file,video,{audio},speaker,sex,emotion,intensity,channel,performance,{subset}\n"
        "x/one.mp4,,,anna,f,joy,strong,song,p1,train\n"
        "two.wav,,,ben,male,,,,,\n"
        ",three.mp4,three.wav,ben,m,anger,,,p1,test\n"
    )

    corpus = open_corpus(tmp_path)

    one, three, two = (corpus.by_id[name] for name in ("x/one", "three", "two"))
    assert (one.speaker, one.sex, one.emotion, one.intensity) == (
        "anna",
        "female",
        "happy",
        "strong",
    )
    assert (one.channel, one.performance, one.subset) == ("song", "p1", "train")
    assert one.video == one.audio
    assert (two.emotion, two.video, two.performance) == (None, None, "two")
    assert (three.video.name, three.audio.name) == ("three.mp4", "three.wav")


def test_the_table_itself_is_a_corpus(tmp_path, plant):
    plant(["one.mp4"])
    (tmp_path / "mine.csv").write_text("file,emotion\none.mp4,calm\n")

    assert open_corpus(tmp_path / "mine.csv").classes == ("calm",)


def test_image_and_audio_with_equal_fields_are_one_clip(tmp_path, plant):
    plant(["video/anna_joy.mp4", "audio/anna_joy.wav", "video/ben_fear.mp4"])

    corpus = open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.{ext}")

    assert len(corpus) == 2
    assert corpus.by_id["video/anna_joy"].audio.name == "anna_joy.wav"


@pytest.mark.parametrize(
    ("known", "labels", "advice"),
    [("ben_1.mp4", "1=sad", "--labels 7=drop"), ("ben_sad.mp4", "", "--labels 7=keep")],
)
def test_clips_of_unknown_labels_are_listed_with_what_to_do(known, labels, advice, tmp_path, plant):
    plant([known, "anna_7.mp4"])

    corpus = open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.mp4", labels=labels)

    assert [clip.emotion for clip in corpus] == ["sad"]
    assert [problem.path for problem in corpus.problems] == ["anna_7.mp4"]
    assert advice in corpus.problems[0].reason


def test_labels_that_are_all_unknown_are_an_error(tmp_path, plant):
    plant(["anna_7.mp4"])

    with pytest.raises(CorpusError, match=r"anna_7\.mp4: The emotion '7' is none"):
        open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.mp4")


def test_unknown_label_in_a_table_names_the_line(tmp_path, plant):
    plant(["one.mp4", "two.mp4"])
    (tmp_path / "aver-corpus.csv").write_text("file,emotion\none.mp4,ennui\ntwo.mp4,sad\n")

    corpus = open_corpus(tmp_path)

    assert [clip.clip_id for clip in corpus] == ["two"]
    assert [problem.path for problem in corpus.problems] == ["aver-corpus.csv, line 2"]
    assert "ennui" in corpus.problems[0].reason


def test_missing_and_faulty_files_of_a_table_are_problems(tmp_path, plant, lfs_pointer):
    plant(["one.mp4"])
    plant(["pointer.mp4"], lfs_pointer)
    (tmp_path / "aver-corpus.csv").write_text("file\none.mp4\nnone.mp4\npointer.mp4\n\n")

    corpus = open_corpus(tmp_path)

    assert len(corpus) == 1
    assert [problem.path.split(" (")[1] for problem in corpus.problems] == [
        "none.mp4)",
        "pointer.mp4)",
    ]


def test_names_that_do_not_match_are_problems(tmp_path, plant):
    plant(["anna_joy.mp4", "holiday.mp4"])

    corpus = open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.mp4")

    assert [problem.path for problem in corpus.problems] == ["holiday.mp4"]


def test_no_name_matches(tmp_path, plant):
    plant(["holiday.mp4"])

    with pytest.raises(CorpusError, match=r"holiday\.mp4"):
        open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.mp4")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("motif: '{speaker}.mp4'", SettingsError),
        ("labels: [1, 2]", SettingsError),
        ("just words", SettingsError),
        ("{", CorpusError),
    ],
)
def test_faulty_description(tmp_path, text, error):
    (tmp_path / "aver-corpus.yaml").write_text(text)

    with pytest.raises(error, match=r"aver-corpus\.yaml"):
        open_corpus(tmp_path)


def test_table_without_a_file_column(tmp_path):
    (tmp_path / "aver-corpus.csv").write_text("name,emotion\none.mp4,sad\n")

    with pytest.raises(CorpusError, match="name, emotion"):
        open_corpus(tmp_path)


def test_two_files_with_one_id(tmp_path, plant):
    plant(["anna_joy.mp4", "anna_joy.mov"])

    with pytest.raises(CorpusError, match=r"anna_joy\.mov"):
        open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.{ext}")


def test_nothing_describes_the_folder(tmp_path, plant):
    with pytest.raises(SettingsError, match="Give a pattern"):
        open_corpus(plant(["one.mp4"]), "manifest")
    with pytest.raises(CorpusError, match="javanese-av"):
        open_corpus(tmp_path, "manifest", config="nowhere")
    with pytest.raises(SettingsError, match=r"no setting 'manifest\.motif'"):
        open_corpus(tmp_path, "manifest", motif="{speaker}.mp4")


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED.glob("*.yaml")])
def test_shipped_layouts_are_complete(name):
    layout = read_layout(Path(name))

    assert layout.pattern or layout.table
    assert set(layout.labels.values()) <= set(EMOTIONS)
    assert "none given" not in layout.citation


def test_codes_from_text_and_mapping():
    assert parse_codes("labels", "1=happy, 2=sad,") == {"1": "happy", "2": "sad"}
    assert parse_codes("labels", {1: "happy"}) == {"1": "happy"}
    with pytest.raises(SettingsError, match="'happy'"):
        parse_codes("labels", "happy")


def test_sex_by_speaker_and_by_code():
    layout = Layout(sexes={"anna": "F", "w": "female"})

    assert layout.make_clip({"speaker": "anna"}, "1", None, None).sex == "female"
    assert layout.make_clip({"speaker": "ben", "sex": "w"}, "1", None, None).sex == "female"
    assert layout.make_clip({"speaker": "ben"}, "1", None, None).sex is None
    with pytest.raises(LabelError, match="'robot' for clip-7"):
        layout.make_clip({"sex": "robot"}, "clip-7", None, None)


@pytest.mark.parametrize("fact", ["intensity", "channel", "subset"])
def test_unknown_words(fact):
    with pytest.raises(LabelError, match=f"Unknown {fact} 'odd' in clip-7"):
        Layout().make_clip({fact: "odd"}, "clip-7", None, None)


def test_intensities_are_translated():
    layout = Layout(intensities={"2": "strong"})

    assert layout.make_clip({"intensity": "2"}, "1", None, None).intensity == "strong"


@pytest.mark.parametrize("given", ["boredom, Contempt", ["boredom", "contempt"]])
def test_further_labels_in_names_must_be_declared(given, plant):
    root = plant(["zoe_boredom.mp4", "ann_happy.mp4"])
    settings = {"pattern": "{speaker}_{emotion}.mp4"}

    undeclared = open_corpus(root, "manifest", **settings)
    assert undeclared.classes == ("happy",)
    assert [problem.path for problem in undeclared.problems] == ["zoe_boredom.mp4"]
    corpus = open_corpus(root, "manifest", **settings, further_emotions=given)

    assert corpus.classes == ("happy", "boredom")
    assert corpus.info.further_emotions == ("boredom", "contempt")


def test_further_labels_in_a_description_file(plant):
    root = plant(["zoe_contempt.mp4", "ann_happy.mp4"])
    (root / "aver-corpus.yaml").write_text(
        "pattern: '{speaker}_{emotion}.mp4'\nfurther_emotions: [contempt]\n"
    )

    assert open_corpus(root).classes == ("happy", "contempt")


@pytest.mark.parametrize(
    "given",
    [
        {"labels": "F=happy,W=angry,L=drop"},
        {"labels": "F=happy,W=angry,L=boredom", "drop": "boredom"},
    ],
)
def test_dropped_labels_are_left_out_and_counted(given, tmp_path, plant):
    plant(["03a01Fa.wav", "08a01La.wav", "08a01Lc.wav", "08a01Wa.wav"])

    corpus = open_corpus(tmp_path, "manifest", pattern="{_:5}{emotion:label}{_}.wav", **given)

    assert [clip.emotion for clip in corpus] == ["happy", "angry"]
    assert sum(corpus.left_out.values()) == 2
    assert not corpus.problems


def test_words_of_the_labels_are_classes(tmp_path, plant):
    plant(["03a01Fa.wav", "08a01La.wav"])

    corpus = open_corpus(
        tmp_path, "manifest", pattern="{_:5}{emotion:1}{_}.wav", labels="F=Freude,L=boredom"
    )

    assert [clip.emotion for clip in corpus] == ["freude", "boredom"]


def test_dropped_words_of_a_table(tmp_path, plant):
    plant(["a.wav"])
    (tmp_path / "t.csv").write_text("file,emotion\na.wav,happy\nb.wav,Boredom\n")

    corpus = open_corpus(tmp_path / "t.csv", "manifest", drop="boredom")

    assert [clip.emotion for clip in corpus] == ["happy"]
    assert sum(corpus.left_out.values()) == 1


def test_a_table_from_excel_on_windows(tmp_path, plant):
    plant(["sub/a.wav"])
    text = "file;speaker;emotion\r\nsub\\a.wav;anna;happy\r\n"
    (tmp_path / "t.csv").write_text(text, encoding="utf-8-sig", newline="")

    corpus = open_corpus(tmp_path / "t.csv")

    assert [(clip.clip_id, clip.speaker) for clip in corpus] == [("sub/a", "anna")]
    assert corpus.clips[0].audio == tmp_path / "sub" / "a.wav"


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(("on_disk", "in_table"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_a_table_with_accents_composed_otherwise_than_on_disk(on_disk, in_table, tmp_path, plant):
    plant([f"{on_disk}/{on_disk}_1.mp4"])
    row = f"{in_table}/{in_table}_1.mp4,{in_table},sad"
    (tmp_path / "aver-corpus.csv").write_text(f"file,speaker,emotion\n{row}\n", "utf-8")

    corpus = open_corpus(tmp_path)

    assert not corpus.problems
    assert [clip.clip_id for clip in corpus] == [f"{COMPOSED}/{COMPOSED}_1"]
    assert corpus.clips[0].video.is_file()
    assert corpus.speakers == (COMPOSED,)


def test_one_speaker_whose_files_compose_accents_differently(tmp_path, plant):
    plant([f"{COMPOSED}_sad.mp4", f"{DECOMPOSED}_happy.mp4"])

    corpus = open_corpus(tmp_path, "manifest", pattern="{speaker}_{emotion}.mp4")

    assert corpus.speakers == (COMPOSED,)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_labels_with_accents(form, tmp_path, plant):
    plant([unicodedata.normalize("NFC", "anna_fröhlich.mp4")], b"one")
    plant([unicodedata.normalize("NFD", "ben_fröhlich.mp4")], b"two")
    labels = unicodedata.normalize(form, "fröhlich=happy")

    corpus = open_corpus(
        tmp_path, "manifest", pattern="{speaker}_{emotion:label}.mp4", labels=labels
    )

    assert [clip.emotion for clip in corpus] == ["happy", "happy"]


def test_a_split_written_on_another_system(tmp_path, plant):
    root = plant([f"clips/{name}_{DECOMPOSED}_{e}.mp4" for name in "abc" for e in ("sad", "happy")])
    corpus = open_corpus(root / "clips", "manifest", pattern="{speaker}_{_}_{emotion}.mp4")
    split = make_split(corpus, "speaker-kfold", folds=3)
    save_split(split, tmp_path / "split.json")
    text = (tmp_path / "split.json").read_text(encoding="utf-8")
    (tmp_path / "split.json").write_text(unicodedata.normalize("NFD", text), encoding="utf-8")

    assert load_split(tmp_path / "split.json", corpus).folds == split.folds
