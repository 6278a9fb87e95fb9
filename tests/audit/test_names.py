"""Names of clips: public corpora, marks of copies, words for subsets and folds."""

import pytest

from aver.audit.names import describe_name, strip_copy_marks
from aver.corpora import open_corpus


@pytest.mark.parametrize(
    ("name", "speaker", "emotion", "sentence", "sex"),
    [
        ("Actor_12/03-01-05-01-02-01-12.wav", "ravdess:12", "angry", "ravdess:02", "female"),
        ("01-05-01-02-01-12", "ravdess:12", "angry", "ravdess:02", "female"),
        ("VideoFlash/1040_ITH_SAD_X.flv", "cremad:1040", "sad", "cremad:ITH", None),
        ("subject 3/s_3_an_1.avi", "enterface:3", "angry", "enterface:an1", None),
        ("s16_fe_3avi.avi", "enterface:16", "fearful", "enterface:fe3", None),
        ("emodb-03a02Wb", "emodb:03", "angry", "emodb:a02", "male"),
        ("emodb-08a02Na", "emodb:08", "neutral", "emodb:a02", "female"),
        ("Ses01F_impro01_M003.wav", "iemocap:Ses01M", None, None, "male"),
        ("Ses01F_impro01_F003.wav", "iemocap:Ses01F", None, None, "female"),
        ("Ses05M_script01_1b_F012.wav", "iemocap:Ses05F", None, None, "female"),
        ("03-01-05-01-02-01-11.wav", "ravdess:11", "angry", "ravdess:02", "male"),
        ("A2/01-01-05-01-02-01-12_facecroppad.npy", "ravdess:12", "angry", "ravdess:02", "female"),
        ("s16_fe_3_faces.npy", "enterface:16", "fearful", "enterface:fe3", None),
        ("1040_ITH_SAD_XXL.flv", None, None, None, None),
        ("holiday.mp4", None, None, None, None),
    ],
)
def test_names_of_public_corpora(name, speaker, emotion, sentence, sex):
    entry = describe_name(name)
    assert (entry.speaker, entry.emotion, entry.sentence) == (speaker, emotion, sentence)
    assert entry.sex == sex


def test_suffixes_of_tools_keep_the_performance():
    added = describe_name("A2/01-01-05-01-02-01-12_facecroppad.npy")
    assert added.recording == describe_name("03-01-05-01-02-01-12.wav").recording
    assert not added.derived


def test_names_give_the_same_facts_as_the_reader_of_ravdess(data_root):
    for clip in open_corpus(data_root / "ravdess", "ravdess"):
        entry = describe_name(f"03-{clip.clip_id}.flac")
        assert entry.speaker == f"ravdess:{clip.speaker}"
        assert (entry.emotion, entry.sex) == (clip.emotion, clip.sex)


def test_original_names_have_no_mark_of_a_copy(data_root):
    files = [*data_root.glob("ravdess/Actor_*/*"), *data_root.glob("javanese-av/*.mp4")]
    listing = (data_root / "cremad-metadata" / "SentenceFilenames.csv").read_text()
    stems = [path.stem for path in files] + [
        line.split('"')[1] for line in listing.split("\n")[1:-1]
    ]
    assert len(stems) > 8000
    assert [stem for stem in stems if strip_copy_marks(stem)[1]] == []


@pytest.mark.parametrize(
    "mark",
    [
        *("_time_stretch", "_white_noise", "_background_noise_10db", "_pitch_up", "_time_shifted"),
        *("_horizontal_flip", "_random_crop", "_color_jitter", "_sp1.1", "_noise_pitch_2"),
    ],
)
def test_marks_of_two_words(mark):
    assert strip_copy_marks(f"anna_03{mark}") == ("anna_03", True)
    assert describe_name(f"1001_DFA_ANG_XX{mark}.wav").recording == "cremad:1001_DFA_ANG_XX"


@pytest.mark.parametrize(
    "stem",
    [
        *("noise", "part1", "frame_12", "happy_music_box", "copy"),
        *("x_time", "x_white", "x_sp1", "x_up", "x_background"),
    ],
)
def test_a_mark_alone_or_inside_a_name_is_not_a_mark(stem):
    assert strip_copy_marks(stem) == (stem, False)
