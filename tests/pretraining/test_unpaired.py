"""MRPN trained on unpaired faces and voices: from files to predictions, and its run folder."""

from __future__ import annotations

import json
from collections import Counter
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
from aver.pretraining.unpaired import (
    UnpairedRequest,
    _embed,
    join_by_class,
    train_on_all,
    train_unpaired,
)
from aver.splits import make_split
from aver.splits.split import Fold
from tone_corpus import write_tone_corpus

EMOTIONS = ("happy", "sad", "angry")


def _face(emotion: str, rng: np.random.Generator) -> np.ndarray:
    """Random blots, so that no image is a copy of another, and a bright third per emotion."""
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
    for folder, name, count in (("train", "Training", 30), ("test", "PublicTest", 9),
                              ("test", "PrivateTest", 3)):  # fmt: skip
        for number in range(count):
            emotion = EMOTIONS[number % 3]
            path = root / "fer" / folder / emotion / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), _face(emotion, rng))
    voices = write_tone_corpus(root / "tones", speakers=6, takes=2)
    (root / "tones" / "s1_happy_0.wav").write_bytes(b"no audio")
    return Corpora(open_corpus(root / "fer", "fer2013"), voices, FeatureStore(root / "cache"))


@pytest.fixture(scope="module")
def trained(corpora: Corpora, tmp_path_factory: pytest.TempPathFactory) -> tuple[MRPN, Path]:
    out = tmp_path_factory.mktemp("run")
    return train_unpaired(corpora.request, out, store=corpora.store), out


def test_the_recognizer_learns_voices_and_the_card_states_the_data(
    corpora: Corpora, trained: tuple[MRPN, Path]
) -> None:
    model, out = trained
    tested = write_tone_corpus(out / "others", speakers=2, takes=2)
    evaluation = predict_corpus(model, replace(tested, name="others"), corpora.store)
    predicted = [evaluation.classes[row] for row in evaluation.probabilities.argmax(axis=1)]
    # Chance is 0.33; without a face the voice decides.
    assert np.mean([p == t for p, t in zip(predicted, evaluation.truth, strict=True)]) > 0.6
    assert np.isnan(evaluation.by_modality["video"]).all()
    assert model.card["protocol"] == "unpaired: no clip with both face and voice"
    assert list(model.card["unusable_clips"]) == ["s1_happy_0"]
    assert not set(model.card["test_speakers_of_voices"]) & {
        *model.card["speakers"]["train"], *model.card["speakers"]["validation"]
    }  # fmt: skip


def test_the_recognizer_learns_faces_from_images(
    trained: tuple[MRPN, Path], tmp_path: Path
) -> None:
    model, _ = trained
    rng = np.random.default_rng(1)
    clips = [Clip(f"{e}-{n}", "x", e) for e in EMOTIONS for n in range(20)]
    images = np.stack([_face(str(clip.emotion), rng) for clip in clips])
    rows = FaceNetwork(find_weights("faces-fer2013")).embed(images)
    embeddings = {clip.clip_id: row[None] for clip, row in zip(clips, rows, strict=True)}

    class Planted:
        def get(self, clip: Clip, feature: object) -> FeatureRecord:
            if not isinstance(feature, FaceEmbeddings):
                return FeatureRecord.absent("no audio")
            return FeatureRecord({"embeddings": embeddings[clip.clip_id]}, coverage=1.0)

    model = model.with_features_from(Planted())
    labels = model.predict(clips).labels
    assert np.mean([a == c.emotion for a, c in zip(labels, clips, strict=True)]) > 0.6


def test_shipped_weights_have_the_test_figures_on_their_card(
    corpora: Corpora, trained: tuple[MRPN, Path], tmp_path: Path
) -> None:
    model, out = trained
    voices = score_unpaired(model, corpora.request, out, corpora.store)["tones"]
    assert set(voices.speakers) == set(model.card["test_speakers_of_voices"])
    folder = ship_run(out, "mine", "Of a test", tmp_path)
    card = json.loads((folder / "card.json").read_text())
    figures = card["metrics"]["tones"]
    correct = voices.probabilities.argmax(axis=1) == [
        voices.classes.index(emotion) for emotion in voices.truth
    ]
    assert figures["fused"]["accuracy"] == pytest.approx(correct.mean())
    assert figures["fused"]["low"] <= figures["fused"]["accuracy"] <= figures["fused"]["high"]
    assert "video" not in figures  # none of these clips has a face
    assert card["pairs"]["train"] > card["voices"]["train"]
    written = out / "tests" / "tones" / "evaluation.json"
    written_ns = written.stat().st_mtime_ns
    score_unpaired(model, corpora.request, out, corpora.store)
    assert written.stat().st_mtime_ns == written_ns


@pytest.mark.parametrize(
    ("wrong", "words"), [({"images_per_voice": 0}, "at least 1"), ({"adapt": "room"}, "'room'")]
)
def test_requests_out_of_range_are_refused(
    corpora: Corpora, wrong: dict[str, object], words: str
) -> None:
    with pytest.raises(SettingsError, match=words):
        replace(corpora.request, **wrong)  # type: ignore[arg-type]


def test_an_unfinished_run_is_not_shipped(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no finished run"):
        ship_run(tmp_path / "none", "mine", "Of a test", tmp_path / "weights")


def test_a_finished_run_is_not_repeated_or_overwritten(
    corpora: Corpora, trained: tuple[MRPN, Path]
) -> None:
    _, out = trained
    weights = out / "checkpoint" / "weights.safetensors"
    written_ns = weights.stat().st_mtime_ns
    again = train_unpaired(corpora.request, out, store=corpora.store)
    assert again.classes == tuple(sorted(EMOTIONS, key=["happy", "sad", "angry"].index))
    assert weights.stat().st_mtime_ns == written_ns
    with pytest.raises(SettingsError, match="other adaptation"):
        train_unpaired(replace(corpora.request, adapt="speaker"), out, store=corpora.store)
    (out / "done.json").unlink()  # as if it had been interrupted
    with pytest.raises(SettingsError, match="other seed"):
        train_unpaired(corpora.request, out, store=corpora.store, seed=1)


def test_different_emotions_are_named_before_anything_is_written(
    corpora: Corpora, tmp_path: Path
) -> None:
    calm = replace(corpora.voices, clips=tuple(
        replace(clip, emotion="calm") if clip.clip_id.endswith("happy_0") else clip
        for clip in corpora.voices
    ))  # fmt: skip
    request = replace(corpora.request, voices=calm)
    with pytest.raises(LabelError, match="Not every corpus has calm"):
        train_unpaired(request, tmp_path, store=corpora.store)
    assert not list(tmp_path.iterdir())
    short = {**corpora.request.overrides, "training.epochs": 1, "training.patience": 1}
    merged = replace(request, merge={"calm": "happy"}, overrides=short)
    model = train_unpaired(merged, tmp_path, store=corpora.store)
    assert model.card["merged"] == {"calm": "happy"}


def test_a_missing_subset_of_faces_is_named_before_anything_is_written(
    corpora: Corpora, tmp_path: Path
) -> None:
    clips = tuple(clip for clip in corpora.faces if clip.subset != "validation")
    request = replace(corpora.request, faces=replace(corpora.faces, clips=clips))
    with pytest.raises(SplitError, match="no image in the subset validation"):
        train_unpaired(request, tmp_path, store=corpora.store)
    assert not list(tmp_path.iterdir())


def test_a_class_without_validation_clips_is_named(corpora: Corpora, tmp_path: Path) -> None:
    fold = corpora.request.voice_split.folds[0]
    validating = {corpora.voices.by_id[name].speaker for name in fold.validation}
    fewer = [c for c in corpora.voices if not (c.speaker in validating and c.emotion == "sad")]
    kept = {clip.clip_id for clip in fewer}
    subsets = {s: tuple(n for n in names if n in kept) for s, names in fold.subsets().items()}
    split = replace(corpora.request.voice_split, folds=(Fold(**subsets),))
    request = replace(
        corpora.request,
        voices=replace(corpora.voices, clips=tuple(fewer)),
        voice_split=split,
    )
    with pytest.raises(LabelError, match="Not every corpus has sad"):
        train_unpaired(request, tmp_path / "a", store=corpora.store)
    faces = tuple(c for c in corpora.faces if not (c.subset == "validation" and c.emotion == "sad"))
    request = replace(request, faces=replace(corpora.faces, clips=faces))
    with pytest.raises(LabelError, match="one of training and validation has sad"):
        train_unpaired(request, tmp_path / "b", store=corpora.store)


def test_the_command_lists_unreadable_voices_before_the_training(
    corpora: Corpora, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["pretrain", "unpaired", "--faces", str(corpora.faces.root),
             "--voices", str(corpora.voices.root), "reader=manifest",
             "pattern={speaker}_{emotion}_{take}.wav",
             "--set", "training.epochs=1", "training.patience=1", "--workers", "1",
             "--cache", str(corpora.store.root), "--out", str(tmp_path / "run")]  # fmt: skip
    assert main([*command, "--strict"]) == 2
    assert "s1_happy_0" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "s1_happy_0" in printed.err
    assert "tones, clean: trained on no clip of these speakers" in printed.out


def test_the_digest_of_images_depends_on_content_and_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "a.png"
    keys = []
    for _ in range(2):
        cv2.imwrite(str(path), _face("sad", rng))
        keys += [digest_images([Clip("a", None, emotion, video=path)]) for emotion in EMOTIONS]
    assert len(set(keys)) == 6
    path.unlink()
    assert digest_images([Clip("a", None, "sad", video=path)]) not in keys


def test_adapted_faces_are_standardized_by_the_training_images(corpora: Corpora) -> None:
    fold = make_split(corpora.faces, "official").folds[0]
    pairs = {s: corpora.faces.select(list(getattr(fold, s))) for s in ("train", "validation")}
    adapted = _embed(pairs, FaceEmbeddings(), "speaker")
    trained = np.stack([adapted[clip.video] for clip in pairs["train"]])
    np.testing.assert_allclose(trained.mean(axis=0), 0, atol=1e-4)
    plain = _embed(pairs, FaceEmbeddings(), "")
    rows = np.stack([plain[clip.video] for clip in pairs["train"]])
    one = pairs["validation"][0].video
    expected = (plain[one] - rows.mean(axis=0)) / rows.std(axis=0)
    np.testing.assert_allclose(adapted[one], expected.clip(-20, 20), rtol=1e-3, atol=1e-3)


def test_adapted_faces_are_scaled_like_the_clips_of_a_speaker(
    corpora: Corpora, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value that is constant over the training images must not explode in another image."""
    fold = make_split(corpora.faces, "official").folds[0]
    pairs = {s: corpora.faces.select(list(getattr(fold, s))) for s in ("train", "validation")}
    rng = np.random.default_rng(4)
    rows = rng.normal(0, 1, (sum(map(len, pairs.values())), 3)).astype(np.float32)
    rows[: len(pairs["train"]), 0] = 0  # constant
    rows[-1] = (0.5, 1e6, 0)
    monkeypatch.setattr(FaceNetwork, "embed", lambda self, images: rows)
    adapted = _embed(pairs, FaceEmbeddings(), "speaker")
    images = [clip.video for clips in pairs.values() for clip in clips]
    frames = dict(zip(images, rows, strict=True))

    class Planted:
        def get(self, clip: Clip, feature: object) -> FeatureRecord:
            return FeatureRecord({"embeddings": frames[clip.video][None]})

    same_speaker = [replace(clip, speaker="one") for clip in pairs["train"]]
    last = pairs["validation"][-1]
    expected = SpeakerAdaptation(Planted(), same_speaker).get(
        replace(last, speaker="one"), FaceEmbeddings()
    )
    np.testing.assert_allclose(adapted[last.video], expected.arrays["embeddings"][0], atol=1e-4)
    assert adapted[last.video][:2].tolist() == [0.5, 20.0]


def test_frames_with_a_face_are_embedded_and_the_card_is_in_the_identity(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(2)
    crops = rng.integers(0, 255, (4, 64, 64, 3)).astype(np.uint8)
    found = np.array([True, False, True, False])
    feature = FaceEmbeddings()
    derived = feature.derive(FeatureRecord({"crops": crops, "found": found}, coverage=0.5))
    expected = FaceNetwork(find_weights("faces-fer2013")).embed(crops[found])
    assert derived.coverage == 0.5
    np.testing.assert_array_equal(derived.arrays["embeddings"], expected.astype(np.float16))
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


def test_voices_are_paired_with_faces_of_their_class_and_every_face_is_used() -> None:
    faces = [
        Clip(f"f{i}", None, emotion, video=Path(f"f{i}.png"))
        for i, emotion in enumerate(["happy", "sad"] * 6)
    ]
    voices = [
        Clip(f"v{i}", f"s{i % 2}", emotion, audio=Path(f"v{i}.wav"))
        for i, emotion in enumerate(["sad", "happy"] * 4)
    ]
    pairs = join_by_class(faces, voices, images_per_voice=3, seed=0)
    emotion = {clip.video: clip.emotion for clip in faces}
    assert len(pairs) == 24
    assert all(emotion[clip.video] == clip.emotion for clip in pairs)
    assert {clip.speaker for clip in pairs} == {"s0", "s1"}
    assert len({clip.clip_id for clip in pairs}) == 24
    # 12 draws from 6 faces of each class: each face twice.
    assert set(Counter(clip.video for clip in pairs).values()) == {2}
    assert join_by_class(faces, voices, 3, seed=0) == pairs
    assert join_by_class(faces, voices, 3, seed=1) != pairs


def test_experts_are_trained_apart_and_fused_by_clips_of_other_speakers(
    corpora: Corpora, tmp_path: Path
) -> None:
    """Clips with a sound and an image as their video stand for filmed speech."""
    rng = np.random.default_rng(5)
    filmed = write_tone_corpus(tmp_path / "filmed", speakers=4, takes=4)
    faces = {clip.clip_id: _face(str(clip.emotion), rng) for clip in filmed}
    for clip_id, image in faces.items():
        cv2.imwrite(str(tmp_path / f"{clip_id}.png"), image)
    clips = tuple(
        replace(clip, video=tmp_path / f"{clip.clip_id}.png", face_box=(0, 0, 48, 48))
        for clip in filmed
    )
    filmed = replace(filmed, name="filmed", clips=clips)
    speakers = filmed.speakers
    chosen, tested = (
        filmed.where(lambda clip, some=some: clip.speaker in some, "test")
        for some in (speakers[:2], speakers[2:])
    )
    request = replace(
        corpora.request,
        preset="expert-fusion",
        overrides=None,
        voice_split=train_on_all(corpora.voices),
        fusion=chosen,
    )
    model = train_unpaired(request, tmp_path / "run", store=corpora.store)

    assert model.card["fusion"]["clips"] == len(chosen)
    assert model.card["fusion"]["speakers"] == list(chosen.speakers)
    assert model.card["test_speakers_of_voices"] == []
    assert {*model.card["speakers"]["train"], *model.card["speakers"]["validation"]} == {
        *corpora.voices.speakers
    }
    evaluation = predict_corpus(model, tested, corpora.store)
    truth = np.array([evaluation.classes.index(name) for name in evaluation.truth])
    right = {
        name: (values.argmax(axis=1) == truth).mean()
        for name, values in {"both": evaluation.probabilities, **evaluation.by_modality}.items()
    }
    assert right["both"] >= max(right["video"], right["audio"]) - 0.05
    assert right["both"] > 0.7
    with pytest.raises(SettingsError, match="other fusion"):
        train_unpaired(replace(request, fusion=tested), tmp_path / "run", store=corpora.store)
    with pytest.raises(SettingsError, match="learns its fusion in the training"):
        train_unpaired(
            replace(corpora.request, fusion=chosen), tmp_path / "mrpn", store=corpora.store
        )
