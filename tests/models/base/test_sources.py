"""What can be predicted, and that every row of the result is that of its source."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.base import clone

import aver
from aver.corpora.user_files import find_user_files
from aver.errors import AverError, LabelError, SettingsError
from aver.features.store import FeatureStore
from aver.media.audio import read_audio
from aver.media.frames import read_frames
from aver.models.base.prediction import NO_MODALITY
from aver.models.base.recognizer import Recognizer
from aver.models.base.sources import open_sources
from tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of tones and a recognizer of them."""
    folder = tmp_path_factory.mktemp("sources")
    corpus = write_tone_corpus(folder / "tones", speakers=3, takes=3)
    store = FeatureStore(folder / "cache")
    aver.train(
        corpus,
        "statistics-logistic",
        out=folder / "run",
        overrides={"modalities": ["audio"]},
        store=store,
        workers=1,
    )
    return folder


@pytest.fixture
def recognizer(folder: Path) -> Recognizer:
    return aver.load(folder / "run", FeatureStore(folder / "cache"))


@pytest.fixture
def tones(folder: Path) -> list[Path]:
    """Files of three emotions, not in the order of their names."""
    return [next((folder / "tones").rglob(f"*{name}*.wav")) for name in ("sad", "happy", "angry")]


def test_order_and_repetitions_are_kept(folder: Path, tones: list[Path]) -> None:
    given = [tones[0], str(tones[1]), tones[2], tones[0], folder / "none.wav"]
    found = aver.predict(given, folder / "run", store=FeatureStore(folder / "cache"))
    table = found.to_frame()
    assert list(table["path"]) == [str(path) for path in given]
    assert list(table["clip"]) == [Path(path).name for path in given]
    assert list(table["emotion"]) == ["sad", "happy", "angry", "sad", ""]
    assert table["flags"].iloc[4] == "The file cannot be read: No such file or directory."
    assert [problem.path for problem in found.problems] == [str(folder / "none.wav")]


def test_the_name_of_a_clip_does_not_depend_on_the_other_files(
    recognizer: Recognizer, tones: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    other = tmp_path / "deep" / "x.wav"
    other.write_bytes(tones[1].read_bytes())
    alone = recognizer.predict(tones[0]).to_frame()
    among = recognizer.predict([other, tones[0]]).to_frame()
    assert alone.iloc[0].equals(among.iloc[1])
    assert list(recognizer.predict(tmp_path).to_frame()["clip"]) == ["deep/x.wav"]


def test_a_text_is_one_path_and_never_its_letters(
    recognizer: Recognizer, tones: list[Path]
) -> None:
    assert tones[0].is_absolute()
    assert recognizer.predict(str(tones[0])).labels == ("sad",)
    assert recognizer.predict(tones[0]).labels == ("sad",)
    assert recognizer.predict(path for path in tones).labels == ("sad", "happy", "angry")
    assert recognizer.predict(np.array([str(path) for path in tones])).labels[1] == "happy"


def test_data_in_memory_are_predicted_as_files_are_and_leave_nothing(
    folder: Path, tones: list[Path], tmp_path: Path
) -> None:
    recognizer = aver.load(folder / "run", FeatureStore(tmp_path / "cache"))
    samples, rate_hz = soundfile.read(tones[1])
    ways = [
        tones[1].read_bytes(),
        io.BytesIO(tones[1].read_bytes()),
        (samples, rate_hz),
        {"array": samples, "sampling_rate": rate_hz},
        aver.Recording(audio=samples, audio_rate_hz=rate_hz),
        (np.round(samples * 32767).astype(np.int16), rate_hz),
    ]
    found = recognizer.predict([*ways, tones[0], b""])
    assert found.labels == ("happy",) * 6 + ("sad", "")
    assert "is empty" in found.flags[-1][0]
    assert "/tmp" not in found.flags[-1][0]
    assert np.allclose(found.probabilities[:5], found.probabilities[0], atol=1e-6)
    with tones[1].open("rb") as file:
        assert recognizer.predict(file).labels == ("happy",)
    assert not list(tmp_path.rglob("*"))


def test_frames_and_audio_in_memory_are_read_back_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (7, 33, 51, 3), dtype=np.uint8)
    audio = random.uniform(-1, 1, 16000).astype(np.float32)
    recording = aver.Recording(frames, 12.5, audio, 16000)
    video, sound = recording.write(tmp_path)
    read = list(read_frames(str(video)))
    assert np.array_equal(np.stack([frame for _, frame in read]), frames)
    assert np.allclose([time_s for time_s, _ in read], np.arange(7) / 12.5)
    assert np.allclose(read_audio(str(sound), 16000), audio, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "nothing to predict"),
        (3, "3 cannot be predicted"),
        ([None], "Item 0, None, cannot be predicted"),
        (np.zeros(5), "without a rate"),
        ((np.zeros(5), -1), "audio_rate_hz must be"),
        (io.StringIO("text"), "mode 'rb'"),
        (np.zeros((4, 4, 3)), "type uint8"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_sentence(given: object, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason), open_sources(given):
        pass


def test_names_that_read_the_same_stay_apart(tmp_path: Path) -> None:
    for name in (
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}.wav",
        "cafe\N{COMBINING ACUTE ACCENT}.wav",
    ):
        (tmp_path / name).write_bytes(b"RIFF")
    corpus, files = find_user_files([tmp_path])
    if len(files) == 2:  # macOS has one file
        assert len({file.clip_id for file in files}) == len(corpus) == 2


def test_silence_has_no_emotion_and_is_flagged(recognizer: Recognizer) -> None:
    found = recognizer.predict((np.zeros(16000), 16000))
    assert found.labels == ("",)
    assert NO_MODALITY in found.flags[0]


def test_a_black_and_silent_clip_has_no_emotion(tmp_path: Path) -> None:
    black = aver.Recording(np.zeros((25, 64, 64, 3), np.uint8), 25, np.zeros(16000), 16000)
    found = aver.predict(black, store=FeatureStore(tmp_path))
    assert found.prediction.labels == ("",)
    assert np.isnan(found.prediction.probabilities).all()
    assert NO_MODALITY in found.prediction.flags[0]


def test_threads_share_one_recognizer(recognizer: Recognizer, tones: list[Path]) -> None:
    requests = [tones[number % 3].read_bytes() for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        labels = [found.labels[0] for found in pool.map(recognizer.predict, requests)]
    assert labels == ["sad", "happy", "angry"] * 8


def test_the_methods_of_scikit_learn(recognizer: Recognizer, folder: Path) -> None:
    assert list(recognizer.classes_) == list(recognizer.classes)
    clips = aver.open_corpus(
        folder / "tones", "manifest", pattern="{speaker}_{emotion}_{take}.wav"
    ).clips
    assert recognizer.score(clips) == 1.0
    swapped = ["sad" if clip.emotion == "happy" else str(clip.emotion) for clip in clips]
    wrong = sum(clip.emotion == "happy" for clip in clips)
    assert recognizer.score(clips, swapped) == pytest.approx(1 - wrong / len(clips))
    paths = [str(clip.audio) for clip in clips]
    assert recognizer.score(paths, [str(clip.emotion) for clip in clips]) == 1.0
    with pytest.raises(LabelError, match="missing"):
        recognizer.score(paths)
    assert recognizer.predict_proba(paths).sum(axis=1) == pytest.approx(1)
    assert "statistics-logistic" in repr(recognizer)


def test_a_clone_has_the_settings_and_no_training(recognizer: Recognizer) -> None:
    for copied in (recognizer.clone(), clone(recognizer)):
        assert copied.get_params() == recognizer.get_params()
        with pytest.raises(SettingsError, match="has not been trained"):
            copied.predict((np.zeros(16000), 16000))
    changed = recognizer.clone().set_params(refit=False, scaling="standard")
    assert changed.get_params()["refit"] is False
    with pytest.raises(AverError, match="no setting 'nonsense'"):
        changed.set_params(nonsense=1)


def test_nested_settings_have_names_with_two_underscores() -> None:
    from aver.models.base.presets import load_preset

    model, settings = load_preset("mrpn-compact")
    recognizer = model(settings, FeatureStore())
    epochs = recognizer.get_params()["training__epochs"]
    assert epochs == recognizer.get_params(deep=False)["training"]["epochs"]
    recognizer.set_params(training__epochs=epochs + 1)
    assert recognizer.settings.training.epochs == epochs + 1
