"""Pretraining on pictures: learns, is tested once, is not repeated, and its network embeds."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from aver.corpora import Corpus, open_corpus
from aver.errors import CheckpointError, LabelError, SettingsError
from aver.models.data.clip_frames import ClipSequences
from aver.models.layers.augmentation import ImageAugmentation, ImageAugmentationSettings
from aver.networks.face_network import FaceNetwork
from aver.networks.resnet import ResNet18
from aver.pretraining.image_task import VIEWS, look
from aver.pretraining.run import read_settings
from aver.pretraining.ship import ship_run
from aver.pretraining.visual import VisualResult, VisualSettings, pretrain_visual
from aver.splits import make_split

SETTINGS = read_settings(
    VisualSettings,
    "visual",
    "compact",
    {"width": 4, "blocks": 1, "size_px": 24, "bfloat16": False, "training.epochs": 6,
     "training.batch_size": 16},
)  # fmt: skip


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
def result(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> VisualResult:
    out = tmp_path_factory.mktemp("run")
    return pretrain_visual(corpus, make_split(corpus, "official"), SETTINGS, out=out)


def test_it_learns_and_tells_what_it_was_tested_on(result: VisualResult) -> None:
    assert result.card["metrics"]["test"]["value"] > 0.8  # chance 0.5
    assert result.card["metrics"]["test"]["images"] == 16
    assert result.card["classes"] == ["happy", "sad"]
    assert json.loads((result.folder / "card.json").read_text()) == json.loads(
        json.dumps(result.card)
    )


def test_a_finished_run_is_not_repeated_and_no_other_takes_its_folder(
    corpus: Corpus, result: VisualResult
) -> None:
    split = make_split(corpus, "official")
    before = (result.folder / "weights.safetensors").stat().st_mtime_ns
    again = pretrain_visual(corpus, split, SETTINGS, out=result.folder)
    assert again.card["metrics"] == result.card["metrics"]
    assert (result.folder / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(CheckpointError, match="other seed"):
        pretrain_visual(corpus, split, SETTINGS, out=result.folder, seed=1)


def test_an_unfinished_run_is_not_gone_on_with_under_other_settings(
    corpus: Corpus, tmp_path: Path
) -> None:
    split = make_split(corpus, "official")
    training = replace(SETTINGS.training, epochs=1, patience=1)
    short = replace(SETTINGS, training=training)
    pretrain_visual(corpus, split, short, out=tmp_path)
    (tmp_path / "card.json").unlink()  # as if it had been stopped before its end
    with pytest.raises(CheckpointError, match="other settings"):
        pretrain_visual(corpus, split, replace(short, dropout=0.3), out=tmp_path)
    again = pretrain_visual(corpus, split, short, out=tmp_path)
    assert again.card["epochs"] == 1


def test_a_leaking_run_learns_copies_says_so_and_is_not_shipped(
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
    clean = pretrain_visual(images, split, brief, out=tmp_path / "clean")
    leaking = pretrain_visual(images, split, brief, out=tmp_path / "leaking", leaking=True)
    assert clean.card["images"]["train"] == 60
    assert clean.card["set_aside"]["train"] == {"copy of a test picture": len(tested)}
    assert "leaks" not in clean.card
    assert leaking.card["images"]["train"] == 60 + len(tested)
    assert "test pictures" in leaking.card["leaks"][0]
    with pytest.raises(CheckpointError, match="other leaking"):
        pretrain_visual(images, split, brief, out=tmp_path / "leaking")
    with pytest.raises(CheckpointError, match="LEAK"):
        ship_run(leaking.folder, "leaky", "Never", tmp_path / "weights")


def test_an_emotion_of_copies_alone_is_named(corpus: Corpus, tmp_path: Path) -> None:
    shutil.copytree(corpus.root, tmp_path / "images")
    folder = tmp_path / "images"
    for part, name in (("train", "Training_900"), ("test", "PrivateTest_900")):
        (folder / part / "angry").mkdir()
        shutil.copyfile(
            folder / "train" / "happy" / "Training_0.png", folder / part / "angry" / f"{name}.png"
        )
    images = open_corpus(folder, "fer2013")
    with pytest.raises(LabelError, match="no picture of angry"):
        pretrain_visual(images, make_split(images, "official"), SETTINGS, out=tmp_path / "run")


def test_a_network_of_no_width_is_refused() -> None:
    with pytest.raises(SettingsError, match="width"):
        VisualSettings(width=0)


def test_views_are_the_image_its_mirror_image_and_both_moved() -> None:
    image = torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6)
    plain, mirrored, both = (look(image, views) for views in VIEWS)
    assert (len(plain), len(mirrored), len(both)) == (1, 2, 10)
    torch.testing.assert_close(mirrored[1], image.flip(3))
    assert {tuple(view.shape) for view in both} == {(1, 1, 6, 6)}
    up_left, *_ = [view for view in both[:5] if view[0, 0, 2, 2] == image[0, 0, 0, 0]]
    torch.testing.assert_close(up_left[0, 0, 2:, 2:], image[0, 0, :4, :4])


def test_embeddings_are_the_extractors_own(result: VisualResult) -> None:
    images = np.random.default_rng(1).integers(0, 255, (3, 24, 24)).astype(np.uint8)
    found = FaceNetwork(result.folder / "weights.safetensors").embed(images)
    weights = load_file(result.folder / "weights.safetensors")
    extractor = ResNet18(1, 4, 1, "3x3").eval()
    extractor.load_state_dict({k: v for k, v in weights.items() if not k.startswith("fc.")})
    rows = images.reshape(3, -1).astype(np.float64)
    standard = (rows - rows.mean(1, keepdims=True)) / rows.std(1, keepdims=True)
    wanted = extractor(torch.tensor(standard.reshape(3, 1, 24, 24), dtype=torch.float32))
    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-3, atol=1e-4)


def test_erasing_takes_a_rectangle_out_of_the_share_of_images_asked_for() -> None:
    torch.manual_seed(0)
    settings = ImageAugmentationSettings(0, 0, 0, False, 0, 0, erasing=0.5)
    frames = torch.ones(400, 1, 32, 32)
    clips = ClipSequences(frames, (1,) * 400, torch.ones(400, dtype=torch.bool))
    seen = ImageAugmentation(settings).train()(frames, clips)
    gone = (seen == 0).float().mean(dim=(1, 2, 3))
    assert 0.42 < (gone > 0).float().mean() < 0.58
    assert gone.max() <= 0.25
    rows = (seen == 0).any(dim=3)[:, 0].sum(1) * (seen == 0).any(dim=2)[:, 0].sum(1)
    torch.testing.assert_close(gone * 32 * 32, rows.float())  # one whole rectangle each
