"""`InputSettings`: what one modality shows a spiking network, and what its neurons look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aver.errors import SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.models.spiking_parts.rate_coding import RateCoding
from aver.spiking.windows import Windows


@dataclass(frozen=True)
class InputSettings:
    """What one modality shows a spiking network, and how its neurons look at it.

    Parameters
    ----------
    feature : str
        A feature of frames (``cepstra``, ``mel-bands``) or pictures (``laplacian-crops``).
    feature_settings : mapping of str to object
        Settings of the feature that differ from its defaults.
    coding : RateCoding
    window, stride : tuple of int (rows, columns) of the feature
        What a neuron sees, and the step from one window position to the next; 0 stands for all of
        them. The paper's windows are 10 frames wide, all rows high.
    """

    feature: str = "cepstra"
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    coding: RateCoding = field(default_factory=RateCoding)
    window: tuple[int, ...] = (0, 10)
    stride: tuple[int, ...] = (0, 10)

    def __post_init__(self) -> None:
        if len(self.window) != 2 or len(self.stride) != 2 or min(*self.window, *self.stride) < 0:
            raise SettingsError(
                "window and stride must be two numbers each, rows and columns, none negative; "
                f"they are {self.window} and {self.stride}."
            )

    def make_feature(self) -> Feature:
        """The feature itself."""
        return feature_from_settings(self.feature, self.feature_settings)

    def windows(self, shape: tuple[int, int]) -> Windows:
        """Windows over the inputs; on and off inputs of a row lie one below the other, or apart.

        Parameters
        ----------
        shape : (rows, columns) of inputs
            See `aver.models.spiking_parts.layer_inputs.LayerInputs.input_shape`.

        Raises
        ------
        SettingsError
            If a window does not fit, or would see on and off inputs that are to lie apart.
        """
        each = self.coding.inputs_per_row
        apart = self.coding.apart and each > 1
        rows, times = (shape[0] // each, 1) if apart else (shape[0], each)
        size = (times * self.window[0] or rows, self.window[1] or shape[1])
        stride = (times * self.stride[0] or rows, self.stride[1] or shape[1])
        if size[0] > rows or size[1] > shape[1]:
            raise SettingsError(
                f"A window of {size} does not fit the layer's {rows} rows and {shape[1]} columns "
                "of inputs. Choose a smaller one."
            )
        if apart and any(top < rows < top + size[0] for top in range(0, rows, stride[0])):
            raise SettingsError(
                f"With on and off inputs apart, windows of {size[0]} rows at every {stride[0]} of "
                f"{rows} rows would see the last on inputs and the first off inputs together. "
                "Choose rows and stride that end where the on inputs end."
            )
        return Windows(size, stride)
