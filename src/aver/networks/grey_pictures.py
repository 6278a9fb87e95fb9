"""`standardise_pictures`: grey pictures on one scale, whatever the light and the camera."""

from __future__ import annotations

from torch import Tensor

_LEAST_DEVIATION = 1.0  # grey levels; a picture of one colour stays flat


def standardise_pictures(pictures: Tensor) -> Tensor:
    """Subtract each picture's mean and divide by its deviation.

    Parameters
    ----------
    pictures : Tensor of uint8 [shape=(pictures, 1, height, width)]

    Returns
    -------
    Tensor of float32 [shape=(pictures, 1, height, width)]

    Examples
    --------
    >>> import torch
    >>> standardise_pictures(torch.tensor([[[[0, 200]]]], dtype=torch.uint8)).tolist()
    [[[[-1.0, 1.0]]]]
    """
    values = pictures.float()
    centred = values - values.mean(dim=(1, 2, 3), keepdim=True)
    deviation = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    return centred / deviation.clamp_min(_LEAST_DEVIATION)
