"""The modalities of a system follow the clips, and one line says so before any extraction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.evaluation.modalities import deduce_modalities

VOICE, FILM, UNITS = Path("a.wav"), Path("a.mkv"), Path("units.csv")


def corpus_of(*clips: dict[str, Path]) -> Corpus:
    made = [Clip(f"c{n:02d}", "s", "happy", **files) for n, files in enumerate(clips)]
    return Corpus("own", Path(), tuple(made))


def test_what_no_clip_has_is_left_out() -> None:
    corpus = corpus_of({"audio": VOICE}, {"audio": VOICE})
    assert deduce_modalities("mrpn-statistics", {}, corpus) == (
        {"modalities": ["audio"]},
        "Modalities: audio (no clip has video).",
    )
    # Two branches of mrpn-compact read audio.
    changes, _ = deduce_modalities("mrpn-compact", {"hidden": 8}, corpus)
    assert changes == {"hidden": 8, "modalities": ["audio", "audio_functionals"]}


def test_what_few_clips_have_is_left_out() -> None:
    corpus = corpus_of({"audio": VOICE, "video": FILM}, *[{"audio": VOICE}] * 19)
    changes, said = deduce_modalities("statistics-svm", {}, corpus)
    assert changes == {"modalities": ["audio"]}
    assert said == "Modalities: audio (1 of 20 clips have video)."


def test_action_units_are_used_if_they_are_given() -> None:
    corpus = corpus_of({"audio": VOICE, "action_units": UNITS}, {"audio": VOICE})
    changes, said = deduce_modalities("statistics-logistic", {}, corpus)
    assert changes == {"modalities": ["audio", "action_units"]}
    assert said.endswith("(no clip has video; 1 of 2 clips have action units).")
    changes, _ = deduce_modalities("temporal-aggregation-compact", {}, corpus)
    assert changes == {"modalities": ["audio"]}  # it cannot read them


def test_what_the_user_chose_or_what_fits_is_left_as_it_is() -> None:
    films = corpus_of({"audio": VOICE, "video": FILM})
    voices = corpus_of({"audio": VOICE})
    chosen = {"modalities": ["video", "audio"]}
    assert deduce_modalities("mrpn-statistics", {}, films) == ({}, "")
    assert deduce_modalities("mrpn-statistics", chosen, voices) == (chosen, "")
    assert deduce_modalities("majority", {}, voices) == ({}, "")


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"nothing that the preset 'statistics-svm' reads"):
        deduce_modalities("statistics-svm", {}, corpus_of({}))


def test_silent_films_have_no_audio(silent_film: Path) -> None:
    clip = {"video": silent_film, "audio": silent_film}
    changes, said = deduce_modalities("statistics-svm", {}, corpus_of(clip, clip))
    assert changes == {"modalities": ["video"]}
    assert said == "Modalities: video (no clip has audio)."


@pytest.fixture
def silent_film(tmp_path: Path) -> Path:
    import av
    import numpy as np

    path = tmp_path / "silent.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_of_joined_corpora_one_with_the_modality_is_enough() -> None:
    many = [Clip(f"voices/c{n}", "voices/s", "happy", audio=VOICE) for n in range(30)]
    film = Clip("films/c", "films/s", "happy", audio=VOICE, video=FILM)
    joined = replace(
        corpus_of({"audio": VOICE}),
        clips=(film, *many),
        parts={"voices": corpus_of({"audio": VOICE}), "films": corpus_of({"audio": VOICE})},
    )
    assert deduce_modalities("mrpn-statistics", {}, joined) == ({}, "")
