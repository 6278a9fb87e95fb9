"""What to write down during a run, and what was written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from aver.spiking.spikes import Spikes


@dataclass(frozen=True)
class Record:
    """What a run writes down besides spike counts and thresholds, which are always kept.

    Parameters
    ----------
    spikes : sequence of str, populations whose spikes are kept with time and neuron
    membranes : mapping of population to neurons
        Whose potential and conductances are kept, at the end of every step.
    weights : mapping of connection to int
        Whose weights are kept after every so many clips of a learning run.
    """

    spikes: Sequence[str] = ()
    membranes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Membranes:
    """Potential and conductances of chosen neurons, each `[shape=(clips, steps, chosen)]`."""

    neurons: np.ndarray
    v_mv: np.ndarray
    g_e: np.ndarray
    g_i: np.ndarray


@dataclass(frozen=True, eq=False)
class WeightHistory:
    """Weights of a connection over a run.

    Parameters
    ----------
    clips : int [shape=(snapshots,)], number of clips seen at each snapshot
    weights : float32 [shape=(snapshots, positions, fan_in, features)]
    """

    clips: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Recording:
    """What came of a run.

    Parameters
    ----------
    counts : population -> int32 [shape=(clips, neurons)], spikes of the last showing
    theta_mv : population -> float64 [shape=(clips,)], mean adaptive threshold after each clip
    intensity : float64 [shape=(clips,)], factor on the rates at the last showing
    spikes : population -> list of Spikes, one per clip
    membranes : population -> Membranes
    weights : connection -> WeightHistory
    """

    counts: dict[str, np.ndarray]
    theta_mv: dict[str, np.ndarray]
    intensity: np.ndarray
    spikes: dict[str, list[Spikes]]
    membranes: dict[str, Membranes]
    weights: dict[str, WeightHistory]
