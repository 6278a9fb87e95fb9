"""What recognisers and detectors find in the files, judged by tools that are not ours."""

from pathlib import Path

import av
import cv2
import numpy as np
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reference import librosa

from .conftest import SMALL


def audio_of(file: Path) -> np.ndarray:
    """All samples; the first is that of the time stamp 0, as the picture's first frame."""
    with av.open(str(file)) as container:
        frames = list(container.decode(audio=0))
        assert frames[0].time == 0
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def images_of(file: Path) -> list[np.ndarray]:
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def units_of(file: Path) -> np.ndarray:
    return np.genfromtxt(file, delimiter=",", names=True)


def accuracy_is_above_chance(features: np.ndarray, rows: list[dict[str, str]]) -> None:
    labels = [row["emotion"] for row in rows]
    speakers = [row["speaker"] for row in rows]
    recognizer = make_pipeline(StandardScaler(), LogisticRegression(C=0.005, max_iter=1000))
    predictions = cross_val_predict(recognizer, features, labels, groups=speakers, cv=GroupKFold(8))
    right = int(np.sum(predictions == np.array(labels)))
    law = binomtest(right, len(labels), 1 / len(set(labels)), alternative="greater")
    assert law.pvalue < 0.001, f"{right} of {len(labels)} right"


def test_emotion_can_be_heard_in_speakers_never_heard_before(small_corpus, rows):
    features = []
    for row in rows:
        audio, rate_hz = audio_of(small_corpus / row["file"]), SMALL.audio_rate_hz
        mfcc = librosa.feature.mfcc(y=audio, sr=rate_hz, n_mfcc=13)
        pitch = np.log2(librosa.yin(audio, fmin=65, fmax=600, sr=rate_hz))
        loud = librosa.feature.rms(y=audio)[0]
        pitch = pitch[loud[: len(pitch)] > np.median(loud) / 2]
        features.append([*mfcc.mean(1), *mfcc.std(1), pitch.mean(), pitch.std(), loud.mean()])
    accuracy_is_above_chance(np.array(features), rows)


def test_emotion_can_be_seen_in_speakers_never_seen_before(small_corpus, rows):
    gradients = cv2.HOGDescriptor((64, 64), (16, 16), (8, 8), (8, 8), 9)
    features = []
    for row in rows:
        described = []
        for image in images_of(small_corpus / row["file"])[::5]:
            face = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[48:136, 36:124]
            described.append(gradients.compute(cv2.resize(face, (64, 64))).ravel())
        features.append(np.mean(described, axis=0))
    accuracy_is_above_chance(np.array(features), rows)


def test_action_units_tell_emotion(small_corpus, rows):
    tracks = [units_of(small_corpus / row["action_units"]) for row in rows]
    features = [[track[name].mean() for name in track.dtype.names[2:]] for track in tracks]
    accuracy_is_above_chance(np.array(features), rows)


def test_every_frame_has_its_row_of_action_units(small_corpus, rows):
    for row in rows[::9]:
        track = units_of(small_corpus / row["action_units"])
        assert len(track) == len(images_of(small_corpus / row["file"]))
        assert np.allclose(track["timestamp"], np.arange(len(track)) / SMALL.fps, atol=1e-3)
        units = np.array([track[name] for name in track.dtype.names[2:]])
        assert track.dtype.names[2] == "AU01_r"
        assert len(units) == 11
        assert units.min() >= 0
        assert units.max() <= 5


def test_the_mouth_opens_with_the_voice(small_corpus, rows):
    correlations = []
    for row in rows:
        audio = audio_of(small_corpus / row["file"])
        jaw = units_of(small_corpus / row["action_units"])["AU26_r"]
        step = int(SMALL.audio_rate_hz / SMALL.fps)
        loud = [np.std(audio[i * step : (i + 1) * step]) for i in range(len(jaw))]
        correlations.append(np.corrcoef(jaw, loud)[0, 1])
    assert np.median(correlations) > 0.5


def test_the_default_detector_finds_the_face(small_corpus, rows):
    from aver.media.face_detection import make_detector

    images = [image for row in rows for image in images_of(small_corpus / row["file"])[::12]]
    found = make_detector().detect(images)
    sizes = [len(faces) for faces in found]
    assert np.mean([size == 1 for size in sizes]) >= 0.95
