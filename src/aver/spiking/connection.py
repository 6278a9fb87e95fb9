"""A connection: from an input source or a population onto a population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.errors import SettingsError
from aver.spiking.population import Population
from aver.spiking.rules import LearningRule
from aver.spiking.windows import Windows

NORMAL_SUM_PER_INPUT = 78.0 / 784.0
"""Sum of a neuron's weights per input after normalisation (78 for 784 inputs: Diehl & Cook)."""


@dataclass(frozen=True)
class Source:
    """External input: ``shape`` neurons that fire as the clips say.

    Parameters
    ----------
    shape : tuple of int
    lag_ms : float >= 0, how long after the beginning of a clip its input sets in
    """

    shape: tuple[int, ...]
    lag_ms: float = 0.0

    def __post_init__(self) -> None:
        if not self.shape or min(self.shape) < 1:
            raise SettingsError(f"A source cannot have the shape {self.shape}.")
        if not self.lag_ms >= 0:
            raise SettingsError(f"lag_ms of a source must not be negative; it is {self.lag_ms}.")

    @property
    def neurons(self) -> int:
        """Number of input neurons."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, eq=False)
class Connection:
    """Weighted synapses from every seen source neuron to every neuron of a target position.

    Parameters
    ----------
    source, target : str, names
    source_shape : tuple of int, how the source neurons are laid out
    population : Population, the target
    rule : learning rule, or None for weights that never change
    windows : Windows, or None: every source neuron reaches every target neuron
    normal_sum : float > 0, "fan-in" (78 / 784 per input), or None for no normalisation
        What the weights onto a neuron are scaled to add up to, before each learned clip. Each
        connection is a group of its own.
    sharing : {"none", "winner"}
        ``winner``: after each learned clip all neurons of a feature map take the weights of the
        map's most active neuron.
    delay_ms : float [shape=(source neurons,)], axonal delays
    """

    source: str
    target: str
    source_shape: tuple[int, ...]
    population: Population
    rule: LearningRule | None
    windows: Windows | None
    normal_sum: float | None
    sharing: Literal["none", "winner"]
    delay_ms: np.ndarray

    @property
    def name(self) -> str:
        """``source->target``."""
        return f"{self.source}->{self.target}"

    @property
    def source_neurons(self) -> int:
        """Number of source neurons."""
        return int(np.prod(self.source_shape))

    @property
    def inputs(self) -> np.ndarray:
        """Source neurons that each block of targets sees, `[shape=(blocks, fan_in), int32]`.

        A block is a window position; without windows the whole target population is one block.
        """
        if self.windows is None:
            return np.arange(self.source_neurons, dtype=np.int32)[None]
        return self.windows.inputs(self.source_shape)

    @property
    def fan_in(self) -> int:
        """Weights onto one neuron."""
        return self.source_neurons if self.windows is None else int(np.prod(self.windows.size))

    @property
    def highest_weight(self) -> float:
        """Upper bound of the weights; infinite without a rule."""
        return np.inf if self.rule is None else self.rule.terms.highest_weight

    def pack(self, weights: np.ndarray) -> np.ndarray:
        """Padded weights as the kernels hold them, from `(positions, fan_in, features)`."""
        full = np.zeros(
            (*weights.shape[:2], self.population.padded_features), dtype=np.float32
        )  # (positions, fan_in, padded)
        full[..., : self.population.features] = weights
        if self.windows is None:
            full = full.transpose(1, 0, 2)
        return full.ravel()

    def unpack(self, packed: np.ndarray) -> np.ndarray:
        """Weights as `(positions, fan_in, features)`, a view where memory order allows."""
        positions, padded = self.population.positions, self.population.padded_features
        if self.windows is None:
            full = packed.reshape(self.fan_in, positions, padded).transpose(1, 0, 2)
        else:
            full = packed.reshape(positions, self.fan_in, padded)
        return full[..., : self.population.features]
