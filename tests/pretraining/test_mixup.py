"""Mixup: labels are shared as pictures are, in shares of a Beta distribution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.parts.image_augmentation import ImageAugmentationSettings
from aver.pretraining.picture_task import LabelledPictures, PictureBatch, PictureTask
from aver.pretraining.visual_settings import VisualSettings

UNCHANGED = ImageAugmentationSettings(
    rotation_deg=0, shift=0, scale=0, flip=False, brightness=0, contrast=0
)
SIDE = 8


class _LeftShare(nn.Module):
    """Says with what share a picture is one whose left half is bright, and remembers it."""

    def forward(self, pictures: Tensor) -> Tensor:
        self.share = (pictures[:, 0, :, : SIDE // 2].double().mean(dim=(1, 2)) + 1) / 2
        return torch.stack([self.share, 1 - self.share], dim=1).clamp_min(1e-12).log()


@pytest.fixture
def batch() -> PictureBatch:
    """A thousand pictures whose left half is bright, class 0, or whose right half is, class 1."""
    torch.manual_seed(0)
    labels = torch.arange(1000) % 2
    pictures = torch.zeros(1000, 1, SIDE, SIDE, dtype=torch.uint8)
    pictures[labels == 0, :, :, : SIDE // 2] = 200
    pictures[labels == 1, :, :, SIDE // 2 :] = 200
    return PictureBatch(pictures, labels)


def _task(batch: PictureBatch, mixup: float) -> PictureTask:
    part = LabelledPictures(batch.pictures, batch.labels)
    return PictureTask(
        _LeftShare(), part, part, batch_size=8, augmentation=UNCHANGED, mixup=mixup  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_network_that_sees_the_shares_pays_their_entropy(batch: PictureBatch) -> None:
    task = _task(batch, 0.4)
    paid = task.loss(batch).value
    shares = task.network.share.numpy()
    assert (np.abs(shares - shares.round()) > 0.05).mean() > 0.1, "some pictures were mixed"
    entropy = stats.entropy(np.stack([shares, 1 - shares]).clip(1e-12), axis=0).mean()
    assert float(paid) == pytest.approx(entropy, rel=1e-4)


def test_shares_follow_the_beta_distribution(batch: PictureBatch) -> None:
    task = _task(batch, 2.0)
    task.loss(batch)
    shares = task.network.share.numpy()
    mixed = shares[np.abs(shares - shares.round()) > 1e-5]  # the others met one of their own class
    assert 400 < len(mixed) < 600
    assert stats.kstest(mixed, stats.beta(2.0, 2.0).cdf).pvalue > 1e-3


def test_the_larger_share_counts_as_the_class(batch: PictureBatch) -> None:
    assert _task(batch, 2.0).loss(batch).right == 1000


@pytest.mark.parametrize("mixup", [0.0, 2.0])
def test_validation_pictures_are_never_mixed(batch: PictureBatch, mixup: float) -> None:
    task = _task(batch, mixup)
    task.network.eval()
    assert float(task.loss(batch).value) == pytest.approx(0, abs=1e-5)


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(SettingsError, match="mixup"):
        VisualSettings(mixup=-0.1)
