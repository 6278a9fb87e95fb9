"""MRPN from faces here and voices there, from files to answers, and what its folder remembers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from aver.cli.main import main
from aver.corpora import Corpus, open_corpus
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError, SettingsError, SplitError
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.feature import FeatureRecord
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.mrpn.recognizer import MRPN
from aver.networks.face_network import FaceNetwork
from aver.networks.pretrained import find_weights
from aver.pretraining.cross_corpus import predict_corpus, score_unpaired
from aver.pretraining.images import digest_images
from aver.pretraining.ship import ship_run
from aver.pretraining.unpaired import UnpairedRequest, _embed, train_unpaired
from aver.splits import make_split
from aver.splits.split import Fold
from tone_corpus import write_tone_corpus

EMOTIONS = ("happy", "sad", "angry")


def _face(emotion: str, rng: np.random.Generator) -> np.ndarray:
    """Blots of its own, so that no picture is another's copy; a bright third for each emotion."""
    blots = rng.integers(0, 100, (9, 9)).astype(np.uint8)
    image = cv2.resize(blots, (48, 48), interpolation=cv2.INTER_CUBIC).astype(int)
    third = 16 * EMOTIONS.index(emotion)
    image[third : third + 16] += 150
    return image.clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Corpora:
    faces: Corpus
    voices: Corpus
    store: FeatureStore

    @property
    def request(self) -> UnpairedRequest:
        return UnpairedRequest(
            self.faces,
            self.voices,
            make_split(self.voices, "speaker-kfold", folds=3),
            overrides={"training.epochs": 15, "training.batch_size": 16, "hidden": 16},
            images_per_voice=2,
        )


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Corpora:
    root = tmp_path_factory.mktemp("unpaired")
    rng = np.random.default_rng(0)
    for part, name, count in (("train", "Training", 30), ("test", "PublicTest", 9),
                              ("test", "PrivateTest", 3)):  # fmt: skip
        for number in range(count):
            emotion = EMOTIONS[number % 3]
            path = root / "fer" / part / emotion / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), _face(emotion, rng))
    voices = write_tone_corpus(root / "tones", speakers=6, takes=2)
    (root / "tones" / "s1_happy_0.wav").write_bytes(b"not a sound")
    return Corpora(open_corpus(root / "fer", "fer2013"), voices, FeatureStore(root / "cache"))


@pytest.fixture(scope="module")
def trained(corpora: Corpora, tmp_path_factory: pytest.TempPathFactory) -> tuple[MRPN, Path]:
    out = tmp_path_factory.mktemp("run")
    return train_unpaired(corpora.request, out, store=corpora.store), out


def test_voices_and_faces_are_learnt_and_told_on_the_card(
    corpora: Corpora, trained: tuple[MRPN, Path]
) -> None:
    model, out = trained
    tested = write_tone_corpus(out / "others", speakers=2, takes=2)
    found = predict_corpus(model, replace(tested, name="others"), corpora.store)
    right = [
        found.classes[row] == word
        for row, word in zip(found.probabilities.argmax(axis=1), found.truth, strict=True)
    ]
    assert np.mean(right) > 0.6  # chance 0.33; without a face its voice decides
    assert np.isnan(found.by_modality["video"]).all()
    assert model.card["protocol"] == "unpaired: no clip with both face and voice"
    assert list(model.card["unusable_clips"]) == ["s1_happy_0"]
    assert not set(model.card["test_speakers_of_voices"]) & {
        *model.card["speakers"]["train"], *model.card["speakers"]["validation"]
    }  # fmt: skip


def test_a_face_alone_is_predicted_by_what_was_learnt_from_images(
    trained: tuple[MRPN, Path], tmp_path: Path
) -> None:
    model, _ = trained
    rng = np.random.default_rng(1)
    network = FaceNetwork(find_weights("faces-fer2013"))

    class Planted:
        def get(self, clip: Clip, feature: object) -> FeatureRecord:
            if not isinstance(feature, FaceEmbeddings):
                return FeatureRecord.absent("no audio")
            image = _face(str(clip.emotion), rng)
            return FeatureRecord({"embeddings": network.embed(image[None])}, coverage=1.0)

    model.take_features_from(Planted())
    clips = [Clip(f"{e}-{n}", "x", e) for e in EMOTIONS for n in range(20)]
    said = model.predict(clips)
    assert np.mean([a == c.emotion for a, c in zip(said.labels, clips, strict=True)]) > 0.6


def test_it_ships_with_the_figures_of_its_tests_on_the_card(
    corpora: Corpora, trained: tuple[MRPN, Path], tmp_path: Path
) -> None:
    model, out = trained
    found = score_unpaired(model, corpora.request, out, corpora.store)
    voices = found["tones"]
    assert set(voices.speakers) == set(model.card["test_speakers_of_voices"])
    folder = ship_run(out, "mine", "Of a test", tmp_path)
    card = json.loads((folder / "card.json").read_text())
    told = card["metrics"]["tones"]
    right = voices.probabilities.argmax(axis=1) == [
        voices.classes.index(word) for word in voices.truth
    ]
    assert told["fused"]["accuracy"] == pytest.approx(right.mean())
    assert told["fused"]["low"] <= told["fused"]["accuracy"] <= told["fused"]["high"]
    assert "video" not in told  # no clip of these has a face
    assert card["pairs"]["train"] > card["voices"]["train"]
    place = out / "tests" / "tones" / "evaluation.json"
    written_ns = place.stat().st_mtime_ns
    score_unpaired(model, corpora.request, out, corpora.store)
    assert place.stat().st_mtime_ns == written_ns


@pytest.mark.parametrize(
    ("wrong", "words"), [({"images_per_voice": 0}, "at least 1"), ({"adapt": "room"}, "'room'")]
)
def test_requests_out_of_range_are_refused(
    corpora: Corpora, wrong: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(corpora.request, **wrong)  # type: ignore[arg-type]


def test_a_run_that_is_not_finished_does_not_ship(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no finished run"):
        ship_run(tmp_path / "none", "mine", "Of a test", tmp_path / "weights")


def test_a_finished_run_is_not_repeated_and_no_other_takes_its_folder(
    corpora: Corpora, trained: tuple[MRPN, Path]
) -> None:
    _, out = trained
    place = out / "checkpoint" / "weights.safetensors"
    written_ns = place.stat().st_mtime_ns
    again = train_unpaired(corpora.request, out, store=corpora.store)
    assert again.classes == tuple(sorted(EMOTIONS, key=["happy", "sad", "angry"].index))
    assert place.stat().st_mtime_ns == written_ns
    with pytest.raises(SettingsError, match="other adaptation"):
        train_unpaired(replace(corpora.request, adapt="speaker"), out, store=corpora.store)
    (out / "done.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(SettingsError, match="other seed"):
        train_unpaired(corpora.request, out, store=corpora.store, seed=1)


def test_labels_that_differ_are_named_before_the_folder_is_taken(
    corpora: Corpora, tmp_path: Path
) -> None:
    calm = replace(corpora.voices, clips=tuple(
        replace(clip, emotion="calm") if clip.clip_id.endswith("happy_0") else clip
        for clip in corpora.voices
    ))  # fmt: skip
    request = replace(corpora.request, voices=calm)
    with pytest.raises(LabelError, match="Only one of the two corpora has calm"):
        train_unpaired(request, tmp_path, store=corpora.store)
    assert not list(tmp_path.iterdir())
    short = {**corpora.request.overrides, "training.epochs": 1, "training.patience": 1}
    merged = replace(request, merge={"calm": "happy"}, overrides=short)
    model = train_unpaired(merged, tmp_path, store=corpora.store)
    assert model.card["merged"] == {"calm": "happy"}


def test_faces_that_lack_a_part_are_named_before_the_folder_is_taken(
    corpora: Corpora, tmp_path: Path
) -> None:
    shown = tuple(clip for clip in corpora.faces if clip.subset != "validation")
    request = replace(corpora.request, faces=replace(corpora.faces, clips=shown))
    with pytest.raises(SplitError, match="no image in the subset validation"):
        train_unpaired(request, tmp_path, store=corpora.store)
    assert not list(tmp_path.iterdir())


def test_a_class_that_only_training_speakers_have_is_named(
    corpora: Corpora, tmp_path: Path
) -> None:
    fold = corpora.request.voice_split.folds[0]
    choosing = {corpora.voices.by_id[name].speaker for name in fold.validation}
    fewer = [c for c in corpora.voices if not (c.speaker in choosing and c.emotion == "sad")]
    kept = {clip.clip_id for clip in fewer}
    parts = {p: tuple(n for n in names if n in kept) for p, names in fold.subsets().items()}
    split = replace(corpora.request.voice_split, folds=(Fold(**parts),))
    request = replace(
        corpora.request,
        voices=replace(corpora.voices, clips=tuple(fewer)),
        voice_split=split,
    )
    with pytest.raises(LabelError, match="one of the two corpora has sad"):
        train_unpaired(request, tmp_path / "a", store=corpora.store)
    shown = tuple(c for c in corpora.faces if not (c.subset == "validation" and c.emotion == "sad"))
    request = replace(request, faces=replace(corpora.faces, clips=shown))
    with pytest.raises(LabelError, match="one of training and validation has sad"):
        train_unpaired(request, tmp_path / "b", store=corpora.store)


def test_from_the_shell_voices_that_cannot_be_read_are_listed_first(
    corpora: Corpora, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["pretrain", "unpaired", "--faces", str(corpora.faces.root),
             "--voices", str(corpora.voices.root),
             "--voices-settings", "pattern={speaker}_{emotion}_{take}.wav",
             "--set", "training.epochs=1", "training.patience=1", "--workers", "1",
             "--cache", str(corpora.store.root), "--out", str(tmp_path / "run")]  # fmt: skip
    assert main([*words, "--strict"]) == 2
    assert "s1_happy_0" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "s1_happy_0" in shown.err
    assert "tones, clean: trained on no clip of these speakers" in shown.out


def test_other_images_under_the_same_names_are_other_images(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "a.png"
    keys = []
    for _ in range(2):
        cv2.imwrite(str(path), _face("sad", rng))
        keys += [digest_images([Clip("a", None, emotion, video=path)]) for emotion in EMOTIONS]
    assert len(set(keys)) == 6
    path.unlink()
    assert digest_images([Clip("a", None, "sad", video=path)]) not in keys


def test_the_scale_of_adapted_faces_is_learnt_from_those_to_learn(corpora: Corpora) -> None:
    parts = make_split(corpora.faces, "official").folds[0]
    pairs = {p: corpora.faces.select(list(getattr(parts, p))) for p in ("train", "validation")}
    adapted = _embed(pairs, FaceEmbeddings(), "speaker")
    learned = np.stack([adapted[clip.video] for clip in pairs["train"]])
    np.testing.assert_allclose(learned.mean(axis=0), 0, atol=1e-4)
    plain = _embed(pairs, FaceEmbeddings(), "")
    rows = np.stack([plain[clip.video] for clip in pairs["train"]])
    one = pairs["validation"][0].video
    wanted = (plain[one] - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(adapted[one], wanted.clip(-20, 20), rtol=1e-3, atol=1e-3)


def test_adapted_faces_are_scaled_as_a_speakers_clips_are(
    corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that no picture to learn from moves must not explode in one that does."""
    parts = make_split(corpora.faces, "official").folds[0]
    pairs = {p: corpora.faces.select(list(getattr(parts, p))) for p in ("train", "validation")}
    rng = np.random.default_rng(4)
    rows = rng.normal(0, 1, (sum(map(len, pairs.values())), 3)).astype(np.float32)
    rows[: len(pairs["train"]), 0] = 0  # never moves
    rows[-1] = (0.5, 1e6, 0)
    monkeypatch.setattr(FaceNetwork, "embed", lambda self, images: rows)
    adapted = _embed(pairs, FaceEmbeddings(), "speaker")
    images = [clip.video for clips in pairs.values() for clip in clips]
    frames = dict(zip(images, rows, strict=True))

    class Planted:
        def get(self, clip: Clip, feature: object) -> FeatureRecord:
            return FeatureRecord({"embeddings": frames[clip.video][None]})

    theirs = [replace(clip, speaker="one") for clip in pairs["train"]]
    last = pairs["validation"][-1]
    wanted = SpeakerAdaptation(Planted(), theirs).get(
        replace(last, speaker="one"), FaceEmbeddings()
    )
    np.testing.assert_allclose(adapted[last.video], wanted.arrays["embeddings"][0], atol=1e-4)
    assert adapted[last.video][:2].tolist() == [0.5, 20.0]


def test_embeddings_are_those_of_images_with_a_face_and_know_the_card(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    crops = rng.integers(0, 255, (4, 64, 64, 3)).astype(np.uint8)
    found = np.array([True, False, True, False])
    feature = FaceEmbeddings()
    derived = feature.derive(FeatureRecord({"crops": crops, "found": found}, coverage=0.5))
    wanted = FaceNetwork(find_weights("faces-fer2013")).embed(crops[found])
    assert derived.coverage == 0.5
    np.testing.assert_array_equal(derived.arrays["embeddings"], wanted.astype(np.float16))
    folder = find_weights("faces-fer2013").parent
    (tmp_path / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes())
    card = json.loads((folder / "card.json").read_text())
    clip = Clip("a", "s", None, video=tmp_path / "a.mp4")
    keys = []
    for size_px in (48, 32):
        card["input"]["size_px"] = size_px
        (tmp_path / "card.json").write_text(json.dumps(card))
        keys.append(FaceEmbeddings(weights=str(tmp_path)).identity(clip))
    assert keys[0] != keys[1]
