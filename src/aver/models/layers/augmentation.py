"""`SpectrogramAugmentation`: hide bands and moments, the same bands in all segments of a clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from aver.errors import SettingsError
from aver.models.data.clip_frames import ClipSequences


@dataclass(frozen=True)
class ImageAugmentationSettings:
    """How far views may differ; zero switches a part off.

    Parameters
    ----------
    rotation_deg : float in [0, 180]
        Turn by at most so many degrees either way.
    shift : float in [0, 0.5]
        Move by at most this share of the picture.
    scale : float in [0, 0.9]
        Zoom by a factor of 1 plus or minus at most this.
    flip : bool
        Mirror every second clip.
    brightness, contrast : float in [0, 1]
        Add at most this many deviations of the picture; stretch by 1 plus or minus at most this.
    erasing : float in [0, 1]
        Of this share of the clips a rectangle (2 to 20 % of the picture) is set to 0.
    per_frame : bool
        Draw anew for each frame: for the lower strip of the paper's Figure 9 only.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    rotation_deg: float = 10.0
    shift: float = 0.08
    scale: float = 0.1
    flip: bool = True
    brightness: float = 0.2
    contrast: float = 0.2
    erasing: float = 0.0
    per_frame: bool = False

    @property
    def changes_anything(self) -> bool:
        """Whether any part is switched on."""
        ranges = self.rotation_deg, self.shift, self.scale, self.brightness, self.contrast
        return self.flip or self.erasing > 0 or any(ranges)

    def __post_init__(self) -> None:
        ranges = {
            "rotation_deg": 180.0, "shift": 0.5, "scale": 0.9, "brightness": 1.0, "contrast": 1.0,
            "erasing": 1.0,
        }  # fmt: skip
        for name, most in ranges.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise SettingsError(f"{name} must lie between 0 and {most:g}, not {value}.")


class ImageAugmentation(nn.Module):
    """Rotation, shift, scale, flip, brightness and contrast, in training mode only.

    Source: Chang & Skarbek 2021, section 3.3, item 1 and Figure 9: "the same random augmentation
    parameters are applied for all frames of a video source".
    Differs from the paper: it names no ranges; ours are in the settings.
    """

    def __init__(self, settings: ImageAugmentationSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, frames: Tensor, clips: ClipSequences) -> Tensor:
        """Augment frames ``(frames of all clips, channels, height, width)``."""
        if not self.training or len(frames) == 0 or not self.settings.changes_anything:
            return frames
        counts = [1] * len(frames) if self.settings.per_frame else list(clips.lengths)
        owner = torch.repeat_interleave(
            torch.arange(len(counts)), torch.tensor(counts)
        )  # (frames,)
        matrices = self._matrices(len(counts))[owner].to(frames.device, frames.dtype)
        grid = functional.affine_grid(matrices, list(frames.shape), align_corners=False)
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
        if not self.settings.erasing:  # nothing is drawn, so that older seeds keep their chance
            return frames
        erased = _rectangles(len(counts), self.settings.erasing, frames.shape[-2:])[owner]
        return frames.masked_fill(erased.to(frames.device)[:, None], 0.0)

    def _matrices(self, count: int) -> Tensor:
        """Random affine maps from output to input places, ``(count, 2, 3)``."""
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
    """Where to erase, as bool ``(count, height, width)``; nowhere in all but `share` of them.

    Source: Zhong et al. 2020, "Random erasing data augmentation", algorithm 1; ranges ours.
    """
    wanted = torch.rand(count) < share
    area = 0.02 + 0.18 * torch.rand(count)
    ratio = torch.exp(math.log(2.0) * _between(count))
    middle = torch.rand(count, 2)
    inside = torch.ones(count, *size, dtype=torch.bool)
    for axis, side in enumerate(((area * ratio).sqrt(), (area / ratio).sqrt())):
        places = (torch.arange(size[axis]) + 0.5) / size[axis]
        near = (places[None, :] - middle[:, axis : axis + 1]).abs() < side[:, None] / 2
        inside &= near[:, :, None] if axis == 0 else near[:, None, :]
    return inside & wanted[:, None, None]


def _between(count: int) -> Tensor:
    """Uniform numbers between -1 and 1."""
    return 2 * torch.rand(count) - 1


@dataclass(frozen=True)
class SpectrogramAugmentationSettings:
    """How much is hidden; zero switches a part off.

    Parameters
    ----------
    band_share, column_share : float in [0, 1)
        A mask covers at most this share of the bands, of a segment's columns.
    masks : int >= 0
        Masks of each kind.
    shift_share : float in [0, 0.5]
        Move all bands of a clip up or down by at most this share: another voice's pitch.
    noise : float >= 0
        Deviation of white noise added to the standardised spectrogram.

    Raises
    ------
    SettingsError
        If a value is out of range.
    """

    band_share: float = 0.0
    column_share: float = 0.0
    masks: int = 1
    shift_share: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        for name, most in (("band_share", 0.99), ("column_share", 0.99), ("shift_share", 0.5)):
            if not 0 <= getattr(self, name) <= most:
                raise SettingsError(
                    f"{name} must lie between 0 and {most}, not {getattr(self, name)}."
                )
        if self.masks < 0 or self.noise < 0:
            raise SettingsError(
                f"masks and noise must not be negative, and are {self.masks} and {self.noise}."
            )


class SpectrogramAugmentation(nn.Module):
    """Masks, shifts and noise on standardised spectrograms, in training mode only.

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
        for _ in range(self.settings.masks):  # drawn without shares too: what is drawn next stays
            rows = _mask(len(lengths), bands, self.settings.band_share)[owner]
            moments = _mask(len(frames), columns, self.settings.column_share)
            if self.settings.band_share or self.settings.column_share:
                hidden = rows[:, None, :, None] | moments[:, None, None, :]
                frames = frames.masked_fill(hidden.to(frames.device), 0.0)
        if self.settings.noise:
            frames = frames + self.settings.noise * torch.randn_like(frames)
        return frames

    def _shifted(self, frames: Tensor, owner: Tensor, clips: int) -> Tensor:
        most = round(self.settings.shift_share * frames.shape[2])
        if most == 0:
            return frames
        steps = torch.randint(-most, most + 1, (clips,))[owner]
        bands = frames.shape[2]
        rows = (torch.arange(bands)[None] - steps[:, None]).clamp(0, bands - 1).to(frames.device)
        return frames.gather(2, rows[:, None, :, None].expand_as(frames))


def _mask(count: int, length: int, share: float) -> Tensor:
    """Random runs to hide, ``(count, length)``; each at most ``share * length`` long."""
    width = (
        (torch.rand(count, 1) * (share * length + 1)).floor() if share else torch.zeros(count, 1)
    )
    start = (torch.rand(count, 1) * (length - width + 1)).floor()
    places = torch.arange(length)[None]
    return (places >= start) & (places < start + width)
