"""Windows that slide over an input: which inputs each window position sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.errors import SettingsError


@dataclass(frozen=True)
class Windows:
    """Windows of one size, moved by a stride along every axis of the input; they may overlap.

    Parameters
    ----------
    size : tuple of int, extent along each axis of the input
    stride : tuple of int, step along each axis

    Examples
    --------
    Ten frames of 40 coefficients, along time only; then ten by ten pixels of a picture:

    >>> Windows(size=(40, 10), stride=(40, 10)).positions((40, 388))
    38
    >>> Windows(size=(10, 10), stride=(10, 10)).positions((100, 100))
    100
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.size) != len(self.stride) or not self.size:
            raise SettingsError(
                f"Windows need one stride per axis; size is {self.size}, stride {self.stride}."
            )
        if min(self.size) < 1 or min(self.stride) < 1:
            raise SettingsError(
                f"Size and stride of windows must be at least 1; size is {self.size}, "
                f"stride {self.stride}."
            )

    def positions(self, shape: tuple[int, ...]) -> int:
        """Number of window positions on an input of this shape."""
        return int(np.prod(self.grid(shape)))

    def grid(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Number of positions along each axis; inputs beyond the last window are not seen.

        Raises
        ------
        SettingsError
            If a window does not fit into the input.
        """
        if len(shape) != len(self.size) or any(
            size > length for size, length in zip(self.size, shape, strict=False)
        ):
            raise SettingsError(
                f"Windows of size {self.size} do not fit an input of shape {shape}. "
                "Choose one extent per axis, none larger than the input."
            )
        return tuple(
            (length - size) // stride + 1
            for length, size, stride in zip(shape, self.size, self.stride, strict=True)
        )

    def inputs(self, shape: tuple[int, ...]) -> np.ndarray:
        """Flat indices of the inputs each position sees, `[shape=(positions, fan_in), int32]`.

        Positions and inputs are counted row by row, as NumPy flattens arrays.
        """
        corners = np.indices(self.grid(shape)).reshape(len(shape), -1).T * np.array(self.stride)
        inside = np.indices(self.size).reshape(len(shape), -1).T
        seen = corners[:, None, :] + inside[None, :, :]  # (positions, fan_in, axes)
        return np.ravel_multi_index(tuple(np.moveaxis(seen, -1, 0)), shape).astype(np.int32)
