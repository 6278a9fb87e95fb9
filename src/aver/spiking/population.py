"""A population: excitatory neurons with their inhibitory partners."""

from __future__ import annotations

from dataclasses import dataclass, field

from aver.errors import SettingsError
from aver.spiking.parameters import INHIBITORY, Homeostasis, LateralInhibition, Neuron


@dataclass(frozen=True)
class Population:
    """``positions * features`` excitatory neurons, each with an inhibitory partner.

    Parameters
    ----------
    features : int >= 1, neurons (feature maps) at each position
    positions : int >= 1, window positions; 1 for a layer without windows
    excitatory, inhibitory : Neuron
    homeostasis : Homeostasis
    inhibition : LateralInhibition
    """

    features: int
    positions: int = 1
    excitatory: Neuron = field(default_factory=Neuron)
    inhibitory: Neuron = INHIBITORY
    homeostasis: Homeostasis = field(default_factory=Homeostasis)
    inhibition: LateralInhibition = field(default_factory=LateralInhibition)

    def __post_init__(self) -> None:
        if self.features < 1 or self.positions < 1:
            raise SettingsError(
                f"A population needs at least one feature and one position, not {self.features} "
                f"and {self.positions}."
            )

    @property
    def neurons(self) -> int:
        """Number of excitatory neurons."""
        return self.positions * self.features

    @property
    def padded_features(self) -> int:
        """Features of a position in memory: a multiple of 16, which fills vector registers."""
        return -(-self.features // 16) * 16
