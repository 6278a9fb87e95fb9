"""`Corpus`, the guessed reader, and selections of clips."""

from __future__ import annotations

import pytest

from aver.corpora import Clip, open_corpus
from aver.corpora.corpus import Selection, guess_reader
from aver.errors import CorpusError, LabelError, SettingsError, SplitError


@pytest.fixture
def corpus(plant):
    return open_corpus(plant(["03-01-04-01-01-01-02.wav", "03-01-03-01-01-01-01.wav"]))


def test_select_keeps_the_order_asked_for(corpus):
    ids = ["01-04-01-01-01-02", "01-03-01-01-01-01"]

    assert [clip.clip_id for clip in corpus.select(ids)] == ids
    assert [clip.clip_id for clip in corpus] == ids[::-1]
    with pytest.raises(SplitError, match="'nobody'"):
        corpus.select(["nobody"])


def test_classes_in_canonical_order_and_speakers(corpus):
    assert corpus.classes == ("happy", "sad")
    assert corpus.speakers == ("01", "02")


def test_where(corpus):
    assert len(corpus.where(lambda clip: clip.sex == "male", "men")) == 1
    with pytest.raises(CorpusError, match="no speaker of nine"):
        corpus.where(lambda clip: False, "no speaker of nine")


def test_settings_of_the_wrong_kind(plant):
    root = plant(["03-01-04-01-01-01-02.wav"])

    with pytest.raises(SettingsError, match=r"'ravdess\.channel' must be one of .*, not 3"):
        open_corpus(root, channel=3)
    with pytest.raises(SettingsError, match="no corpus named 'ravdes'"):
        open_corpus(root, "ravdes")


def test_a_clip_without_labels_keeps_only_what_a_recognizer_may_see():
    clip = Clip(
        "a", "s", "sad", intensity="strong", sentence="1", votes={"face": {"sad": 1.0}}, take="2"
    )

    bare = clip.without_labels()

    assert (bare.emotion, bare.intensity, bare.sentence, bare.votes) == (None, None, None, {})
    assert (bare.clip_id, bare.speaker, bare.performance) == ("a", "s", "a")


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("Actor_01/03-01-05-01-01-01-01.flac", "ravdess"),
        ("AudioWAV/1001_DFA_ANG_XX.wav", "cremad"),
        ("subject 1/anger/sentence 1/s1_an_1.avi", "enterface"),
        ("train/angry/Training_1.jpg", "fer2013"),
        ("id10001/x/00001.wav", "speaker-folders"),
        ("synthesis.json", "synthetic"),
        ("aver-corpus.yaml", "manifest"),
        ("aver-corpus.csv", "manifest"),
    ],
)
def test_readers_are_guessed_from_names(plant, name, reader):
    assert guess_reader(plant([name, "readme.txt"])) == reader


def test_real_folders(data_root):
    assert guess_reader(data_root / "ravdess") == "ravdess"
    assert guess_reader(data_root / "fer2013.tar") == "fer2013"


def test_names_that_no_reader_recognizes(plant, tmp_path):
    with pytest.raises(CorpusError, match="empty"):
        guess_reader(tmp_path)
    with pytest.raises(CorpusError, match=r"holiday\.mp4.*--reader manifest"):
        guess_reader(plant(["holiday.mp4"]))
    with pytest.raises(CorpusError, match="neither a manifest nor a tar"):
        guess_reader(tmp_path / "holiday.mp4")


SIX = ("happy", "sad", "angry", "fearful", "disgust", "surprised")


def test_six_classes(data_root):
    corpus = open_corpus(data_root / "ravdess")

    smaller = Selection(emotions=SIX).apply(corpus)

    assert smaller.classes == SIX
    assert len(smaller) == 20 * 48


def test_speakers_channel_and_words(plant):
    names = [
        f"03-{channel}-{emotion}-01-01-01-{actor}.wav"
        for channel in ("01", "02")
        for emotion in ("03", "04")
        for actor in ("01", "02")
    ]
    corpus = open_corpus(plant(names), channel="both")

    chosen = Selection(emotions=("happiness",), speakers=("02",), channel="song").apply(corpus)

    assert [clip.clip_id for clip in chosen] == ["02-03-01-01-01-02"]
    assert Selection().apply(corpus) == corpus


def test_labels_that_a_corpus_declares_can_be_selected(plant):
    names = ["03a01La.wav", "03a01Na.wav", "08a01Wa.wav"]  # boredom, neutral, anger
    corpus = open_corpus(plant(names))

    assert corpus.classes == ("neutral", "angry", "boredom")
    assert Selection(emotions=("boredom", "Anger")).apply(corpus).classes == ("angry", "boredom")
    with pytest.raises(LabelError, match=r"'bordom' in the selected emotions.*surprised, boredom"):
        Selection(emotions=("bordom",)).apply(corpus)


def test_a_reader_must_declare_its_labels(plant):
    from aver.corpora.ravdess import Ravdess

    clips = [Clip("a", "s", "boredom"), Clip("b", "s", None), Clip("c", "s", "sad")]

    assert len(Ravdess().collect(plant([]), clips[1:], ())) == 2
    with pytest.raises(LabelError, match="Clip a has the emotion 'boredom', which the reader"):
        Ravdess().collect(plant([]), clips, ())


def test_selections_that_are_not_in_the_corpus(plant):
    corpus = open_corpus(plant(["03-01-03-01-01-01-01.wav"]))

    with pytest.raises(LabelError, match="no clip that is 'calm'"):
        Selection(emotions=("calm",)).apply(corpus)
    with pytest.raises(LabelError, match="bored"):
        Selection(emotions=("bored",)).apply(corpus)
    with pytest.raises(CorpusError, match="no speaker '9'"):
        Selection(speakers=("9",)).apply(corpus)
    with pytest.raises(CorpusError, match="song"):
        Selection(channel="song").apply(corpus)
