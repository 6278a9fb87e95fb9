"""Sources, populations and connections, and the description of a network made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np

from aver.errors import SettingsError
from aver.settings import Field, settings
from aver.spiking.parameters import (
    INHIBITORY,
    Homeostasis,
    LateralInhibition,
    Neuron,
    Simulation,
)
from aver.spiking.rules import LearningRule


@settings
class Windows:
    """Windows of one size, moved by a stride along every axis of the input; they may overlap.

    Parameters
    ----------
    size : tuple of int, extent along each axis of the input
    stride : tuple of int, step along each axis

    Examples
    --------
    Ten frames of 40 coefficients, along time only; then ten by ten pixels of an image:

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
        """Number of positions along each axis; inputs beyond the last window are in none.

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
        """Flat indices of the inputs in each window, `[shape=(positions, fan_in), int32]`.

        Positions and inputs are counted row by row, as NumPy flattens arrays.
        """
        corners = np.indices(self.grid(shape)).reshape(len(shape), -1).T * np.array(self.stride)
        inside = np.indices(self.size).reshape(len(shape), -1).T
        places = corners[:, None, :] + inside[None, :, :]  # (positions, fan_in, axes)
        return np.ravel_multi_index(tuple(np.moveaxis(places, -1, 0)), shape).astype(np.int32)


@settings
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

    features: Annotated[int, Field(ge=1)]
    positions: Annotated[int, Field(ge=1)] = 1
    excitatory: Neuron = field(default_factory=Neuron)
    inhibitory: Neuron = INHIBITORY
    homeostasis: Homeostasis = field(default_factory=Homeostasis)
    inhibition: LateralInhibition = field(default_factory=LateralInhibition)

    @property
    def neurons(self) -> int:
        """Number of excitatory neurons."""
        return self.positions * self.features

    @property
    def padded_features(self) -> int:
        """Features of a position in memory: a multiple of 16, which fills vector registers."""
        return -(-self.features // 16) * 16


NORMAL_SUM_PER_INPUT = 78.0 / 784.0
"""Sum of a neuron's weights per input after normalization (78 for 784 inputs: Diehl & Cook)."""


@dataclass(frozen=True)
class Source:
    """External input: ``shape`` neurons that fire as given by the clips.

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
    """Weighted synapses from the source neurons in a window to all neurons of its position.

    Parameters
    ----------
    source, target : str, names
    source_shape : tuple of int, how the source neurons are laid out
    population : Population, the target
    rule : learning rule, or None for weights that never change
    windows : Windows, or None: every source neuron reaches every target neuron
    normal_sum : float > 0, "fan-in" (78 / 784 per input), or None for no normalization
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
        """Source neurons of each block of targets, `[shape=(blocks, fan_in), int32]`.

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
        """Weights as `(positions, fan_in, features)`, a view if memory order allows."""
        positions, padded = self.population.positions, self.population.padded_features
        if self.windows is None:
            full = packed.reshape(self.fan_in, positions, padded).transpose(1, 0, 2)
        else:
            full = packed.reshape(positions, self.fan_in, padded)
        return full[..., : self.population.features]


@dataclass(frozen=True, eq=False)
class NetworkDescription:
    """A whole network as plain data, from which an engine is made.

    Parameters
    ----------
    simulation : Simulation
    seed : int
    streams : mapping of str to str
        Names of the random streams of sources and connections, if not their own names.
    sources : mapping of str to Source
    populations : mapping of str to Population
    connections : mapping of str to Connection
        In the order in which they were added.
    """

    simulation: Simulation
    seed: int
    streams: Mapping[str, str]
    sources: Mapping[str, Source]
    populations: Mapping[str, Population]
    connections: Mapping[str, Connection]
