"""Pretraining on images: it learns, is tested once, resumes, and its network embeds faces."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from aver.cli.main import main
from aver.corpora import Corpus, open_corpus
from aver.corpora.clip import Clip
from aver.errors import CheckpointError, LabelError, SettingsError, TrainingInterrupted
from aver.models.data.batches import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation, ImageAugmentationSettings
from aver.networks.face_network import FaceNetwork
from aver.networks.resnet import ResNet18
from aver.pretraining.classifier import new_classifier
from aver.pretraining.image_scores import VIEWS, image_views
from aver.pretraining.image_task import ImageTask, LabeledImages, reduce_resolution
from aver.pretraining.settings import VideoSettings, read_settings
from aver.pretraining.ship import ship_run
from aver.pretraining.video import pretrain_video
from aver.splits import make_split
from stopped_training import stopped_after_one_epoch

SETTINGS = read_settings(
    VideoSettings,
    "video",
    "compact",
    {"width": 4, "blocks": 1, "size_px": 24, "bfloat16": False, "training.epochs": 6,
     "training.batch_size": 16},
)  # fmt: skip


@dataclass(frozen=True)
class Trained:
    folder: Path
    card: dict[str, Any]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Noise with a bright upper half for happy, a bright lower half for sad."""
    root = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for part, name, count in (("train", "Training", 60), ("test", "PublicTest", 12),
                              ("test", "PrivateTest", 16)):  # fmt: skip
        for number in range(count):
            emotion = ("happy", "sad")[number % 2]
            image = rng.integers(0, 120, (24, 24))
            rows = slice(0, 12) if emotion == "happy" else slice(12, 24)
            image[rows] += 100
            path = root / part / emotion / f"{name}_{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image.astype(np.uint8))
    return open_corpus(root, "fer2013")


@pytest.fixture(scope="module")
def result(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    out = tmp_path_factory.mktemp("run")
    return Trained(out, pretrain_video(corpus, make_split(corpus, "official"), SETTINGS, out=out))


def test_training_learns_and_the_card_states_the_test(result: Trained) -> None:
    assert result.card["metrics"]["test"]["value"] > 0.8  # chance 0.5
    assert result.card["metrics"]["test"]["images"] == 16
    assert result.card["classes"] == ["happy", "sad"]
    assert json.loads((result.folder / "card.json").read_text()) == json.loads(
        json.dumps(result.card)
    )


def test_a_finished_run_is_not_repeated_and_no_other_takes_its_folder(
    corpus: Corpus, result: Trained
) -> None:
    split = make_split(corpus, "official")
    before = (result.folder / "weights.safetensors").stat().st_mtime_ns
    again = pretrain_video(corpus, split, SETTINGS, out=result.folder)
    assert again["metrics"] == result.card["metrics"]
    assert (result.folder / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="other seed"):
        pretrain_video(corpus, split, SETTINGS, out=result.folder, seed=1)


def test_an_unfinished_run_is_not_resumed_with_other_settings(
    corpus: Corpus, tmp_path: Path
) -> None:
    split = make_split(corpus, "official")
    training = replace(SETTINGS.training, epochs=1, patience=1)
    short = replace(SETTINGS, training=training)
    pretrain_video(corpus, split, short, out=tmp_path)
    (tmp_path / "card.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(SettingsError, match="other settings"):
        pretrain_video(corpus, split, replace(short, dropout=0.3), out=tmp_path)
    again = pretrain_video(corpus, split, short, out=tmp_path)
    assert again["epochs"] == 1


def test_an_interrupted_training_resumes_to_the_same_result(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = make_split(corpus, "official")
    settings = replace(SETTINGS, training=replace(SETTINGS.training, epochs=3, patience=3))
    whole = pretrain_video(corpus, split, settings, out=tmp_path / "whole")
    with stopped_after_one_epoch(monkeypatch), pytest.raises(TrainingInterrupted):
        pretrain_video(corpus, split, settings, out=tmp_path / "broken")
    log = tmp_path / "broken" / "training.jsonl"
    assert len(log.read_text().splitlines()) == 1
    assert not (tmp_path / "broken" / "card.json").exists()
    resumed = pretrain_video(corpus, split, settings, out=tmp_path / "broken")
    assert resumed["metrics"] == whole["metrics"]
    assert log.read_text() == (tmp_path / "whole" / "training.jsonl").read_text()
    expected = load_file(tmp_path / "whole" / "weights.safetensors")
    for name, value in load_file(tmp_path / "broken" / "weights.safetensors").items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)
    assert not list((tmp_path / "broken").glob("resume*"))


def test_a_run_of_version_0_1_is_finished(tmp_path: Path) -> None:
    root = Path(__file__).parents[1] / "fixtures" / "version_0_1"
    shutil.copytree(root / "pretrain" / "visual", tmp_path / "run")
    faces = open_corpus(root / "faces", "fer2013")
    settings = read_settings(
        VideoSettings, "video", "compact",
        {"width": 2, "blocks": 1, "bfloat16": False, "training.epochs": 2, "training.patience": 2,
         "training.batch_size": 8},
    )  # fmt: skip
    split = make_split(faces, "official")
    card = pretrain_video(faces, split, settings, out=tmp_path / "run", seed=1)
    assert card["images"] == {"train": 24, "validation": 8, "test": 4}
    assert card["metrics"]["test"]["images"] == 4
    with pytest.raises(SettingsError, match="other seed"):
        pretrain_video(faces, split, settings, out=tmp_path / "run", seed=2)
    images = np.zeros((1, 48, 48), np.uint8)
    assert FaceNetwork(tmp_path / "run" / "weights.safetensors").embed(images).shape == (1, 16)


def test_the_command_prints_the_figures_of_the_card(
    corpus: Corpus, result: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["width=4", "blocks=1", "size_px=24", "bfloat16=false", "training.epochs=6",
                "training.batch_size=16"]  # fmt: skip
    command = ["pretrain", "video", "--corpus", str(corpus.root), "--reader", "fer2013",
               "--set", *settings, "--out", str(result.folder)]  # fmt: skip
    assert main(command) == 0  # the run is finished
    printed = capsys.readouterr().out
    assert "train 60, validation 12, test 16" in printed
    assert f"{result.card['metrics']['test']['value']:.1%}" in printed


def test_a_leaking_run_trains_on_copies_states_it_and_is_not_shipped(
    corpus: Corpus, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(corpus.root, copied)
    tested = sorted(copied.glob("test/*/PrivateTest_*.png"))
    for number, place in enumerate(tested):
        emotion = place.parent.name
        shutil.copyfile(place, copied / "train" / emotion / f"Training_{100 + number}.png")
    images = open_corpus(copied, "fer2013")
    split = make_split(images, "official")
    brief = replace(SETTINGS, training=replace(SETTINGS.training, epochs=1, patience=1))
    clean = pretrain_video(images, split, brief, out=tmp_path / "clean")
    leaking = pretrain_video(images, split, brief, out=tmp_path / "leaking", leaking=True)
    assert clean["images"]["train"] == 60
    assert clean["set_aside"]["train"] == {"copy of a test image": len(tested)}
    assert "leaks" not in clean
    assert leaking["images"]["train"] == 60 + len(tested)
    assert "test images" in leaking["leaks"][0]
    with pytest.raises(SettingsError, match="other leaking"):
        pretrain_video(images, split, brief, out=tmp_path / "leaking")
    with pytest.raises(CheckpointError, match="LEAK"):
        ship_run(tmp_path / "leaking", "leaky", "Never", tmp_path / "weights")


def test_an_emotion_that_only_copies_have_is_named(corpus: Corpus, tmp_path: Path) -> None:
    shutil.copytree(corpus.root, tmp_path / "images")
    folder = tmp_path / "images"
    for part, name in (("train", "Training_900"), ("test", "PrivateTest_900")):
        (folder / part / "angry").mkdir()
        shutil.copyfile(
            folder / "train" / "happy" / "Training_0.png", folder / part / "angry" / f"{name}.png"
        )
    images = open_corpus(folder, "fer2013")
    with pytest.raises(LabelError, match="no image of angry"):
        pretrain_video(images, make_split(images, "official"), SETTINGS, out=tmp_path / "run")


def test_a_network_without_width_is_refused() -> None:
    with pytest.raises(SettingsError, match="width"):
        VideoSettings(width=0)


def test_views_are_the_image_its_mirror_image_and_both_moved() -> None:
    image = torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6)
    plain, mirrored, both = (image_views(image, views) for views in VIEWS)
    assert (len(plain), len(mirrored), len(both)) == (1, 2, 10)
    torch.testing.assert_close(mirrored[1], image.flip(3))
    assert {tuple(view.shape) for view in both} == {(1, 1, 6, 6)}
    up_left, *_ = [view for view in both[:5] if view[0, 0, 2, 2] == image[0, 0, 0, 0]]
    torch.testing.assert_close(up_left[0, 0, 2:, 2:], image[0, 0, :4, :4])


def test_embeddings_are_the_output_of_the_extractor(result: Trained) -> None:
    images = np.random.default_rng(1).integers(0, 255, (3, 24, 24)).astype(np.uint8)
    found = FaceNetwork(result.folder / "weights.safetensors").embed(images)
    weights = load_file(result.folder / "weights.safetensors")
    extractor = ResNet18(1, 4, 1, "3x3").eval()
    extractor.load_state_dict({k: v for k, v in weights.items() if not k.startswith("fc.")})
    rows = images.reshape(3, -1).astype(np.float64)
    standard = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    wanted = extractor(torch.tensor(standard.reshape(3, 1, 24, 24), dtype=torch.float32))
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_erasing_blanks_a_rectangle_in_the_given_share_of_images() -> None:
    torch.manual_seed(0)
    settings = ImageAugmentationSettings(0, 0, 0, False, 0, 0, erasing=0.5)
    frames = torch.ones(400, 1, 32, 32)
    clips = ClipSequences(frames, (1,) * 400, torch.ones(400, dtype=torch.bool))
    erased = ImageAugmentation(settings).train()(frames, clips)
    gone = (erased == 0).float().mean(dim=(1, 2, 3))
    assert 0.42 < (gone > 0).float().mean() < 0.58
    assert gone.max() <= 0.25
    rows = (erased == 0).any(dim=3)[:, 0].sum(1) * (erased == 0).any(dim=2)[:, 0].sum(1)
    torch.testing.assert_close(gone * 32 * 32, rows.float())  # one whole rectangle each


def test_votes_are_the_targets_and_other_emotions_do_not_count(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((24, 24), np.uint8))
    clip = Clip("a", None, "sad", tmp_path / "a.png",
                votes={"face": {"sad": 0.5, "happy": 0.3, "contempt": 0.2}})  # fmt: skip
    plain = replace(clip, votes={})
    data = LabeledImages.read([clip, plain], ("happy", "sad"), SETTINGS)
    np.testing.assert_allclose(data.shares, [[3 / 8, 5 / 8], [0, 1]], rtol=1e-6)
    unvoted = LabeledImages.read([clip], ("happy", "sad"), replace(SETTINGS, votes=False))
    assert unvoted.shares.tolist() == [[0, 1]]


def test_surroundings_are_cut_off_before_a_prediction(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "a.png"), rng.integers(0, 255, (48, 48)).astype(np.uint8))
    clip = Clip("a", None, "sad", tmp_path / "a.png", face_box=(12, 12, 36, 36))
    scores = []
    for surround in (0.0, 0.25, 0.5):
        settings = replace(SETTINGS, surround=surround)
        data = LabeledImages.read([clip], ("happy", "sad"), settings)
        network = new_classifier(settings, 2, seed=0).eval()
        scores.append(ImageTask(network, data, data, settings).scores(data.images).detach())
    torch.testing.assert_close(scores[1], scores[0])
    torch.testing.assert_close(scores[2], scores[0])


def test_reduced_images_lose_detail_and_keep_their_size() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 1, 32, 32)
    assert reduce_resolution(images, 1.0) is images
    changed = [reduce_resolution(images, 0.25) for _ in range(20)]
    assert {tuple(one.shape) for one in changed} == {(2, 1, 32, 32)}
    assert min(float(one.std()) for one in changed) < 0.7 * float(images.std())
    assert any(one is images for one in changed)


def test_a_student_learns_from_its_teacher(corpus: Corpus, result: Trained, tmp_path: Path) -> None:
    """With nothing but the teacher's probabilities the labels are never seen."""
    split = make_split(corpus, "official")
    wrong = {"happy": "sad", "sad": "happy"}
    changed = replace(
        corpus,
        clips=tuple(
            replace(c, emotion=wrong[str(c.emotion)] if c.subset == "train" else c.emotion)
            for c in corpus
        ),
    )
    settings = replace(SETTINGS, teacher=str(result.folder), teacher_share=1.0)
    card = pretrain_video(changed, split, settings, out=tmp_path / "student")
    assert card["metrics"]["test"]["value"] > 0.8
    other = replace(settings, teacher=str(tmp_path / "none"))
    with pytest.raises(CheckpointError, match="no pretrained weights"):
        pretrain_video(changed, split, other, out=tmp_path / "other")


def test_more_test_images_are_scored_on_their_own_labels(corpus: Corpus, tmp_path: Path) -> None:
    tests = [clip for clip in corpus if clip.subset == "test"]
    others = [replace(clip, emotion="angry") for clip in tests[:3]]
    short = replace(SETTINGS, training=replace(SETTINGS.training, epochs=2, patience=2))
    card = pretrain_video(
        corpus, make_split(corpus, "official"), short, out=tmp_path,
        tests={"again": [*tests, *others]},
    )  # fmt: skip
    assert card["tests"]["again"]["test"] == card["metrics"]["test"]
    assert card["tests"]["again"]["unknown"] == 3
