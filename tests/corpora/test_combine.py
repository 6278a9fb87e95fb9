"""Corpora are joined with clips and speakers kept apart; what cannot be joined is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aver.corpora import Clip, Corpus, CorpusInfo, Problem, combine, open_corpus
from aver.corpora.combine import name_in_part, part_of
from aver.errors import CorpusError, LabelError

INFO = CorpusInfo("The first", "CC0", "A. Uthor 2020", "", "", "")


def corpus_at(root: Path, emotions: tuple[str, ...], **changes: object) -> Corpus:
    """Two speakers, each with a clip per emotion."""
    clips = tuple(
        Clip(
            f"{speaker}-{emotion}",
            speaker,
            emotion,
            audio=root / f"{speaker}-{emotion}.wav",
            sentence="1",
            aliases=(f"{speaker}{emotion}",),
        )
        for speaker in ("01", "02")
        for emotion in emotions
    )
    return replace(Corpus("test", root, clips), **changes)


def test_ids_speakers_performances_and_sentences_of_two_corpora_are_different() -> None:
    one = corpus_at(Path("/data/one"), ("happy", "sad"), info=INFO)
    two = corpus_at(Path("/data/two"), ("happy", "sad"), problems=(Problem("x.wav", "Empty."),))
    joined = combine({"one": one, "two": two})
    assert len(joined) == len(joined.by_id) == 8
    assert joined.speakers == ("one/01", "one/02", "two/01", "two/02")
    clip = joined.by_id["two/01-sad"]
    assert clip == replace(
        two.by_id["01-sad"],
        clip_id="two/01-sad",
        speaker="two/01",
        performance="two/01-sad",
        sentence="two/1",
        aliases=("two/01sad",),
    )
    assert (part_of(clip.clip_id), name_in_part(clip.clip_id)) == ("two", "01-sad")
    assert joined.name == joined.label == "one + two"
    assert joined.root == Path("/data")
    assert joined.problems == (Problem("two/x.wav", "Empty."),)
    assert joined.info is not None
    assert (joined.info.title, joined.info.license) == ("The first; two", "one: CC0")
    assert joined.parts == {"one": one, "two": two}


def test_an_unknown_speaker_stays_unknown() -> None:
    one = corpus_at(Path("/data/one"), ("happy", "sad"))
    nameless = replace(
        one, root=Path("/data/two"), clips=(Clip("a", None, "sad"), Clip("b", None, "happy"))
    )
    assert combine({"one": one, "two": nameless}).by_id["two/a"].speaker is None


def test_the_label_names_a_corpus_and_a_folder_with_spaces_is_named_too(tmp_path: Path) -> None:
    for folder in ("my clips", "others"):
        (tmp_path / folder).mkdir()
        for name in ("ann_happy.wav", "bob_sad.wav"):
            (tmp_path / folder / name).write_bytes(b"media")
    one, two = (
        open_corpus(tmp_path / folder, "manifest", pattern="{speaker}_{emotion}.wav")
        for folder in ("my clips", "others")
    )
    assert combine([one, two]).name == "my-clips + others"


def test_only_emotions_in_common_are_kept_and_the_note_says_what_is_left_out() -> None:
    one = corpus_at(Path("/data/one"), ("calm", "happy", "disgust"))
    two = corpus_at(Path("/data/two"), ("neutral", "happy"))
    joined = combine({"one": one, "two": two}, merge={"calm": "neutral"})
    assert joined.classes == ("neutral", "happy")
    assert joined.by_id["one/01-calm"].emotion == "neutral"
    assert joined.notes == (
        "Emotions: neutral, happy; calm counts as neutral; left out, since not every "
        "corpus has them: one disgust (2 clips).",
    )


ONE = corpus_at(Path("/data/one"), ("happy", "sad"))


@pytest.mark.parametrize(
    ("corpora", "words"),
    [
        ({"one": ONE}, "at least two corpora, not 1"),
        ({"one": ONE, "two": ONE}, "/data/one is given twice"),
        ([ONE, ONE], "/data/one is given twice"),
        ([ONE, corpus_at(Path("/more/one"), ("sad",))], "/data/one and /more/one are both named"),
        ({"one": ONE, "a b": corpus_at(Path("/data/two"), ("sad",))}, "cannot be named 'a b'"),
        ({"one": ONE, "a/b": corpus_at(Path("/data/two"), ("sad",))}, "cannot be named 'a/b'"),
    ],
)
def test_corpora_that_cannot_be_kept_apart_are_refused(corpora: object, words: str) -> None:
    with pytest.raises(CorpusError, match=words):
        combine(corpora)  # type: ignore[arg-type]


def test_an_emotion_that_no_corpus_has_cannot_be_merged() -> None:
    two = corpus_at(Path("/data/two"), ("happy", "sad"))
    with pytest.raises(LabelError, match="No clip of the corpora is 'calm', which --merge names"):
        combine({"one": ONE, "two": two}, merge={"calm": "neutral"})
    with pytest.raises(LabelError, match="have 0 emotions in common"):
        combine({"one": ONE, "two": corpus_at(Path("/data/two"), ("angry", "calm"))})


def test_emotions_that_one_corpus_lacks_can_be_kept_or_refused() -> None:
    two = corpus_at(Path("/data/two"), ("happy", "sad", "calm"))
    unlabeled = replace(two, clips=(*two.clips, Clip("mute", "01", None)))
    kept = combine({"one": ONE, "two": unlabeled}, unshared="keep")
    assert kept.classes == ("calm", "happy", "sad")
    assert len(kept) == len(ONE) + len(unlabeled)
    with pytest.raises(LabelError, match="Not every corpus has calm"):
        combine({"one": ONE, "two": two}, unshared="refuse")
