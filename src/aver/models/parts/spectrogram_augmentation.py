"""`SpectrogramAugmentation`: hide bands and moments, the same bands in all segments of a clip."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aver.errors import SettingsError
from aver.models.parts.clip_sequences import ClipSequences


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
