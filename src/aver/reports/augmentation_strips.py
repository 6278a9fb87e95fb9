"""Figures 9 and 10 of the MRPN paper, from the frames of a clip of the user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aver.reports.plots.clips import plot_strips
from aver.reports.plots.style import save_figure


def spatial_strips(crops: np.ndarray, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Frames as they are, augmented alike, and each augmented on its own (MRPN, Figure 9).

    Parameters
    ----------
    crops : np.ndarray of uint8 [shape=(frames, size, size, 3)]
        Face crops of one clip.
    seed : int

    Returns
    -------
    dict of str to np.ndarray [shape=(frames, size, size, 3)]
        Colours in [0, 1].
    """
    import torch

    from aver.models.data.batches import ClipSequences
    from aver.models.layers.augmentation import ImageAugmentation, ImageAugmentationSettings

    frames = torch.from_numpy(crops.astype(np.float32) / 255).permute(0, 3, 1, 2)
    clip = ClipSequences.of([frames])
    strips = {"original": frames}
    for name, per_frame in (
        ("same random parameters for all frames: used", False),
        ("different parameters for each frame: not used", True),
    ):
        augmentation = ImageAugmentation(ImageAugmentationSettings(per_frame=per_frame)).train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            strips[name] = augmentation(frames, clip)
    return {name: np.clip(s.permute(0, 2, 3, 1).numpy(), 0, 1) for name, s in strips.items()}


def time_strips(crops: np.ndarray, rate_hz: float, *, seed: int = 0) -> dict[str, np.ndarray]:
    """The frames, and two random slices of them at their places in time (MRPN, Figure 10).

    Parameters
    ----------
    crops : np.ndarray of uint8 [shape=(frames, size, size, 3)]
    rate_hz : float > 0
        Frames per second; slices last at least one second.
    seed : int

    Returns
    -------
    dict of str to np.ndarray [shape=(frames, size, size, 3)]
        NaN where a slice has no frame.
    """
    import torch

    from aver.models.data.sampler import random_slice

    frames = crops.astype(np.float32) / 255
    generator = torch.Generator().manual_seed(seed)
    strips = {"original": frames}
    for draw in (1, 2):
        start, stop = random_slice(len(frames), max(1, round(rate_hz)), generator)
        kept = np.full_like(frames, np.nan)
        kept[start:stop] = frames[start:stop]
        name = f"random slice {draw}: {start / rate_hz:.1f} to {stop / rate_hz:.1f} s"
        strips[name] = kept
    return strips


def write_strips(
    number: str, crops: np.ndarray, rate_hz: float, folder: Path, *, seed: int = 0
) -> tuple[Path, Path]:
    """Write Figure 9 or 10 as PNG and SVG.

    The files hold pictures of the clip; share them only as the clip's licence allows.

    Parameters
    ----------
    number : {"9", "10"}
    crops, rate_hz, seed
        As for `spatial_strips` and `time_strips`.
    folder : Path
    """
    if number == "9":
        strips, title = spatial_strips(crops, seed=seed), "Augmentation of the picture"
    else:
        strips, title = time_strips(crops, rate_hz, seed=seed), "Augmentation in time"
    figure = plot_strips(strips, columns=min(10, len(crops)), title=title)
    return save_figure(figure, folder / f"mrpn-figure-{number}")
