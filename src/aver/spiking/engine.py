"""The flat arrays of a network, its state, and the kernel that runs one clip of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aver.errors import SimulationError
from aver.spiking.arrays import new_plasticity, new_state, new_workspace
from aver.spiking.connection import Connection
from aver.spiking.kernels.clip import run_clip
from aver.spiking.kernels.ends import FINE, RUNAWAY
from aver.spiking.kernels.normalisation import normalise
from aver.spiking.kernels.structures import Plasticity, State, Watch, Workspace
from aver.spiking.layout import INTEGRATORS, lay_out
from aver.spiking.stimuli import Buffers

if TYPE_CHECKING:
    from aver.spiking.network import Network

RUNAWAY_WINDOW_MS = 100.0


@dataclass
class Worker:
    """What one thread needs to run clips: a state, lists, input spikes, watched cells."""

    state: State
    workspace: Workspace
    buffers: Buffers
    watch: Watch


class Engine:
    """A network in the arrays of the kernels.

    Parameters
    ----------
    network : Network
    weights : connection -> array [shape=(positions, fan_in, features)]
    """

    def __init__(self, network: Network, weights: Mapping[str, np.ndarray]) -> None:
        self.simulation = network.simulation
        self.names = list(network.populations)
        self.layout = lay_out(network.simulation, network.populations, network.connections)
        self.plasticity: Plasticity = new_plasticity(self.layout)
        self.state: State = new_state(self.layout)
        self.clock = 0
        for name, values in weights.items():
            self.set_weights(network.connections[name], values)
        for name, population in network.populations.items():
            start = population.homeostasis.start_mv
            self.set_theta_mv(name, np.full(population.neurons, start))

    def weights(self, connection: Connection) -> np.ndarray:
        """Copy of the weights, `[shape=(positions, fan_in, features)]`."""
        return connection.unpack(self.packed_weights(connection)).copy()

    def packed_weights(self, connection: Connection) -> np.ndarray:
        """The weights themselves, as the kernels hold them."""
        return self.plasticity.weights[self.layout.weights_of[connection.name]]

    def set_weights(self, connection: Connection, weights: np.ndarray) -> None:
        """Replace the weights of a connection."""
        self.packed_weights(connection)[:] = connection.pack(weights)
        self.touched(connection)[:] = 1

    def touched(self, connection: Connection) -> np.ndarray:
        """Flags of the cells whose weights changed since they were normalised, a view."""
        each = self.layout.connections.each[list(self.layout.weights_of).index(connection.name)]
        first = int(each["at_cells"])
        return self.plasticity.touched[first : first + int(each["blocks"] * each["row"])]

    def theta_mv(self, population: str) -> np.ndarray:
        """Adaptive thresholds of a population, `[shape=(neurons,)]`, a copy."""
        return self.plasticity.theta[self.layout.cells_of[population]]

    def set_theta_mv(self, population: str, theta_mv: np.ndarray) -> None:
        """Replace the adaptive thresholds of a population."""
        self.plasticity.theta[self.layout.cells_of[population]] = theta_mv

    def new_worker(self, state: State | None = None, watched: np.ndarray | None = None) -> Worker:
        """Everything a thread needs; ``watched`` are cells to write down step by step."""
        cells = np.empty(0, np.int64) if watched is None else watched
        steps = self.layout.steps
        return Worker(
            state=new_state(self.layout) if state is None else state,
            workspace=new_workspace(self.layout),
            buffers=Buffers(np.zeros((len(self.layout.weights_of), steps + 1), np.int64)),
            watch=Watch(cells, *(np.zeros((steps, cells.size)) for _ in range(3))),
        )

    def run_clip(
        self, worker: Worker, clip: int, clock: int, learns: np.ndarray, adapts: np.ndarray
    ) -> int:
        """Run the clip whose input spikes are in the worker's buffers; return its spikes.

        Raises
        ------
        SimulationError
            If a population ran away; the message names the clip.
        """
        simulation = self.simulation
        if learns.any():
            normalise(learns, self.layout.connections, self.plasticity)
        n_spikes, end, where = run_clip(
            clock,
            simulation.timing.stimulus_steps,
            INTEGRATORS[simulation.integrator],
            simulation.between_clips == "carry",
            simulation.runaway_share or 0.0,
            max(simulation.timing.in_steps(RUNAWAY_WINDOW_MS), 1),
            learns,
            adapts,
            worker.buffers.begins,
            worker.buffers.arriving,
            self.layout.populations,
            self.layout.connections,
            worker.state,
            self.plasticity,
            worker.workspace,
            self.layout.neuron_of_cell,
            worker.watch,
        )
        if end != FINE:
            what = (
                "ran away: its neurons fire nearly as often as their refractory period allows"
                if end == RUNAWAY
                else "left all bounds: a membrane potential is no longer a sensible number"
            )
            advice = (
                "Choose the integrator 'implicit-euler'"
                if simulation.integrator == "forward-euler"
                else "Lower the intensity, the rates or normal_sum, or strengthen the inhibition"
            )
            spoiled = " What this run has learned is spoiled; load a saved state."
            raise SimulationError(
                f"In clip {clip} the population '{self.names[where]}' {what}. {advice}."
                + (spoiled if learns.any() else "")
            )
        return int(n_spikes)
