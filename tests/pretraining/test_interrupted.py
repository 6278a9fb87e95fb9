"""A pretraining that was stopped between two epochs ends as an unbroken one does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from aver.corpora import open_corpus
from aver.errors import TrainingInterrupted
from aver.pretraining.images import split_images
from aver.pretraining.run import read_settings
from aver.pretraining.visual import VisualSettings, pretrain_visual
from stopped_training import stopped_after_one_epoch

SETTINGS = read_settings(
    VisualSettings,
    "visual",
    "compact",
    {"width": 2, "blocks": 1, "size_px": 16, "training.epochs": 3, "training.patience": 3,
     "training.batch_size": 8},
)  # fmt: skip


def _write_images(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name, count in {"Training": 12, "PublicTest": 4, "PrivateTest": 4}.items():
        for emotion in ("happy", "sad"):
            for number in range(count):
                place = folder / "any" / emotion / f"{name}_{number}.png"
                place.parent.mkdir(parents=True, exist_ok=True)
                image = cv2.resize(rng.integers(0, 255, (9, 9)).astype(np.uint8), (48, 48))
                cv2.imwrite(str(place.with_name(f"{place.stem}{len(emotion)}.png")), image)


def test_faces_go_on_from_the_last_whole_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write_images(tmp_path / "faces")
    corpus = open_corpus(tmp_path / "faces", "fer2013")
    split = split_images(corpus)
    whole = pretrain_visual(corpus, split, SETTINGS, out=tmp_path / "whole")
    with stopped_after_one_epoch(monkeypatch), pytest.raises(TrainingInterrupted):
        pretrain_visual(corpus, split, SETTINGS, out=tmp_path / "broken")
    log = tmp_path / "broken" / "training.jsonl"
    assert len(log.read_text().splitlines()) == 1
    assert not (tmp_path / "broken" / "card.json").exists()
    resumed = pretrain_visual(corpus, split, SETTINGS, out=tmp_path / "broken")
    assert resumed.card["metrics"] == whole.card["metrics"]
    assert log.read_text() == (tmp_path / "whole" / "training.jsonl").read_text()
    wanted = load_file(tmp_path / "whole" / "weights.safetensors")
    for name, value in load_file(tmp_path / "broken" / "weights.safetensors").items():
        torch.testing.assert_close(value, wanted[name], rtol=0, atol=0)
    assert not list((tmp_path / "broken").glob("resume*"))
