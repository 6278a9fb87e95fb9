"""`InputSettings`: what one modality shows the network, and how its neurons look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aver.errors import SettingsError
from aver.features.feature import Feature, feature_from_settings
from aver.models.spiking_parts.rate_coding import RateCoding
from aver.spiking import Windows


@dataclass(frozen=True)
class InputSettings:
    """What one modality shows the network, and how its neurons look at it.

    Parameters
    ----------
    feature : str
        A feature of frames (``cepstra``, ``mel-bands``) or pictures (``laplacian-crops``).
    feature_settings : mapping of str to object
        Settings of the feature that differ from its defaults.
    coding : RateCoding
    window, stride : tuple of int (rows, columns) of the feature
        What a neuron sees, and the step from one window position to the next.
    """

    feature: str
    feature_settings: Mapping[str, Any] = field(default_factory=dict)
    coding: RateCoding = field(default_factory=RateCoding)
    window: tuple[int, ...] = (40, 40)
    stride: tuple[int, ...] = (40, 40)

    def __post_init__(self) -> None:
        if len(self.window) != 2 or len(self.stride) != 2:
            raise SettingsError(
                f"window and stride count rows and columns; they are {self.window}, {self.stride}."
            )

    @property
    def windows(self) -> Windows:
        """Windows over the inputs; on and off inputs of a row lie one below the other."""
        inputs = self.coding.inputs_per_row
        return Windows(
            (inputs * self.window[0], self.window[1]), (inputs * self.stride[0], self.stride[1])
        )

    def make_feature(self) -> Feature:
        """The feature itself."""
        return feature_from_settings(self.feature, self.feature_settings)
