"""Random augmentation of images and spectrograms, with the same parameters for a whole clip."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.models.data.batches import ClipSequences
from aver.settings import Field, settings


@settings
class ImageAugmentationSettings:
    """Ranges of random changes of images; zero switches a change off.

    Parameters
    ----------
    rotation_deg : float in [0, 180]
        Rotate by at most this angle in either direction.
    shift : float in [0, 0.5]
        Move by at most this share of the image.
    scale : float in [0, 0.9]
        Zoom by a factor of 1 plus or minus at most this.
    flip : bool
        Mirror half of the clips.
    brightness, contrast : float in [0, 1]
        Add at most this number of standard deviations of the image; multiply by 1 plus or minus at
        most this.
    erasing : float in [0, 1]
        In this share of the clips a rectangle (2 to 20 % of the image) is set to 0.
    per_frame : bool
        Draw for each frame separately: only for the lower strip of the paper's Figure 9.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    rotation_deg: Annotated[float, Field(ge=0, le=180)] = 10.0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.08
    scale: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    flip: bool = True
    brightness: Annotated[float, Field(ge=0, le=1)] = 0.2
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.2
    erasing: Annotated[float, Field(ge=0, le=1)] = 0.0
    per_frame: bool = False

    @property
    def changes_anything(self) -> bool:
        """Whether any change is switched on."""
        ranges = self.rotation_deg, self.shift, self.scale, self.brightness, self.contrast
        return self.flip or self.erasing > 0 or any(ranges)


class ImageAugmentation(nn.Module):
    """Rotation, shift, scale, flip, brightness and contrast, in training mode only.

    Source: Chang & Skarbek 2021, section 3.3, item 1 and Figure 9: "the same random augmentation
    parameters are applied for all frames of a video source".
    Differs from the paper: it names no ranges; ours are in the settings.

    Parameters
    ----------
    settings : ImageAugmentationSettings
    inner : float in (0, 1]
        Share of the side of the frames that the result shows if nothing is changed; zooms and
        shifts are relative to it. Below 1 the frames bring the surroundings of a face along.
    """

    def __init__(self, settings: ImageAugmentationSettings, inner: float = 1.0) -> None:
        super().__init__()
        self.settings = settings
        self.inner = inner

    def forward(self, frames: Tensor, clips: ClipSequences) -> Tensor:
        """Augment frames ``(frames of all clips, channels, height, width)``."""
        if not self.training or len(frames) == 0 or not self.settings.changes_anything:
            return frames
        counts = [1] * len(frames) if self.settings.per_frame else list(clips.lengths)
        owner = torch.repeat_interleave(
            torch.arange(len(counts)), torch.tensor(counts)
        )  # (frames,)
        matrices = self._matrices(len(counts))[owner].to(frames.device, frames.dtype) * self.inner
        size = [round(side * self.inner) for side in frames.shape[2:]]
        grid = functional.affine_grid(matrices, [*frames.shape[:2], *size], align_corners=False)
        frames = functional.grid_sample(
            frames, grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        added = self.settings.brightness * _between(len(counts))[owner]
        stretched = 1 + self.settings.contrast * _between(len(counts))[owner]
        std = frames.std(dim=(1, 2, 3), keepdim=True)
        frames = (
            frames * stretched.to(frames.device, frames.dtype).view(-1, 1, 1, 1)
            + added.to(frames.device, frames.dtype).view(-1, 1, 1, 1) * std
        )
        if not self.settings.erasing:  # nothing is drawn: seeds give the same numbers as without it
            return frames
        erased = _rectangles(len(counts), self.settings.erasing, frames.shape[-2:])[owner]
        return frames.masked_fill(erased.to(frames.device)[:, None], 0.0)

    def _matrices(self, count: int) -> Tensor:
        """Random affine maps from output to input positions, ``(count, 2, 3)``."""
        angle = _between(count) * math.radians(self.settings.rotation_deg)
        zoom = 1 + self.settings.scale * _between(count)
        mirror = torch.ones(count)
        if self.settings.flip:
            mirror = 1 - 2 * (torch.rand(count) < 0.5).float()
        move = 2 * self.settings.shift * torch.stack([_between(count), _between(count)], dim=1)
        rows = torch.stack(
            [zoom * mirror * angle.cos(), -zoom * angle.sin(),
             zoom * mirror * angle.sin(), zoom * angle.cos()], dim=1
        ).view(count, 2, 2)  # fmt: skip
        return torch.cat([rows, move[:, :, None]], dim=2)


def _rectangles(count: int, share: float, size: torch.Size) -> Tensor:
    """Pixels to erase, as bool ``(count, height, width)``, in `share` of the images.

    Source: Zhong et al. 2020, "Random erasing data augmentation", algorithm 1; ranges ours.
    """
    erased = torch.rand(count) < share
    area = 0.02 + 0.18 * torch.rand(count)
    ratio = torch.exp(math.log(2.0) * _between(count))
    middle = torch.rand(count, 2)
    inside = torch.ones(count, *size, dtype=torch.bool)
    for axis, side in enumerate(((area * ratio).sqrt(), (area / ratio).sqrt())):
        pixels = (torch.arange(size[axis]) + 0.5) / size[axis]
        near = (pixels[None, :] - middle[:, axis : axis + 1]).abs() < side[:, None] / 2
        inside &= near[:, :, None] if axis == 0 else near[:, None, :]
    return inside & erased[:, None, None]


def _between(count: int) -> Tensor:
    """Uniform random numbers between -1 and 1."""
    return 2 * torch.rand(count) - 1


@settings
class SpectrogramAugmentationSettings:
    """Extent of masks, shifts and noise on spectrograms; zero switches one off.

    Parameters
    ----------
    band_share, column_share : float in [0, 1)
        A mask covers at most this share of the bands, of a segment's columns.
    masks : int >= 0
        Number of masks of each kind.
    shift_share : float in [0, 0.5]
        Move all bands of a clip up or down by at most this share, as another voice's pitch would.
    noise : float >= 0
        Standard deviation of white noise that is added to the standardized spectrogram.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    band_share: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    column_share: Annotated[float, Field(ge=0, le=0.99)] = 0.0
    masks: Annotated[int, Field(ge=0)] = 1
    shift_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    noise: Annotated[float, Field(ge=0)] = 0.0


class SpectrogramAugmentation(nn.Module):
    """Masks, shifts and noise on standardized spectrograms, in training mode only.

    Source: Park et al. 2019 (SpecAugment), masks only.
    Differs from the paper: Chang & Skarbek slice in time only; this is ours, for small corpora.
    """

    def __init__(self, settings: SpectrogramAugmentationSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, frames: Tensor, clips: ClipSequences) -> Tensor:
        """Augment segments ``(segments of all clips, channels, bands, columns)``."""
        if not self.training or len(frames) == 0:
            return frames
        lengths = torch.tensor(clips.lengths)
        owner = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        bands, columns = frames.shape[2:]
        frames = self._shifted(frames, owner, len(lengths))
        for _ in range(
            self.settings.masks
        ):  # drawn even if both shares are 0, so that later draws stay the same
            rows = _mask(len(lengths), bands, self.settings.band_share)[owner]
            moments = _mask(len(frames), columns, self.settings.column_share)
            if self.settings.band_share or self.settings.column_share:
                hidden = rows[:, None, :, None] | moments[:, None, None, :]
                frames = frames.masked_fill(hidden.to(frames.device), 0.0)
        if self.settings.noise:
            frames = frames + self.settings.noise * torch.randn_like(frames)
        return frames

    def _shifted(self, frames: Tensor, owner: Tensor, clips: int) -> Tensor:
        largest = round(self.settings.shift_share * frames.shape[2])
        if largest == 0:
            return frames
        steps = torch.randint(-largest, largest + 1, (clips,))[owner]
        bands = frames.shape[2]
        rows = (torch.arange(bands)[None] - steps[:, None]).clamp(0, bands - 1).to(frames.device)
        return frames.gather(2, rows[:, None, :, None].expand_as(frames))


def _mask(count: int, length: int, share: float) -> Tensor:
    """Random masks, ``(count, length)``; each at most ``share * length`` long."""
    width = (
        (torch.rand(count, 1) * (share * length + 1)).floor() if share else torch.zeros(count, 1)
    )
    start = (torch.rand(count, 1) * (length - width + 1)).floor()
    steps = torch.arange(length)[None]
    return (steps >= start) & (steps < start + width)
