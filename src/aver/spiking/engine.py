"""`Engine`: a network in the flat arrays of the kernels, and the run of a single clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aver.errors import SimulationError
from aver.spiking.kernels.clip import FINE, RUNAWAY, run_clip
from aver.spiking.kernels.structures import Plasticity, State, Watch, Workspace
from aver.spiking.kernels.synapses import normalize
from aver.spiking.layout import INTEGRATORS, lay_out, new_plasticity, new_state, new_workspace
from aver.spiking.stimuli import Buffers
from aver.spiking.topology import NetworkDescription

RUNAWAY_WINDOW_MS = 100.0


@dataclass
class Worker:
    """What one thread needs to run clips: state, lists, input spikes, recorded cells."""

    state: State
    workspace: Workspace
    buffers: Buffers
    watch: Watch


class Engine:
    """The compiled form of a network: constants, weights, thresholds and running state.

    Parameters
    ----------
    description : NetworkDescription
    weights : mapping of connection to float32 [shape=(positions, fan_in, features)]
        Initial weights.

    Attributes
    ----------
    clock : int
        Steps that the network has run.
    clips_learned : int
    """

    def __init__(self, description: NetworkDescription, weights: Mapping[str, np.ndarray]) -> None:
        self.description = description
        self.layout = lay_out(
            description.simulation, description.populations, description.connections
        )
        self.plasticity: Plasticity = new_plasticity(self.layout)
        self.state: State = new_state(self.layout)
        self.clock = self.clips_learned = 0
        for name, values in weights.items():
            self.set_weights(name, values)
        for name, population in description.populations.items():
            start = population.homeostasis.start_mv
            self.set_theta_mv(name, np.full(population.neurons, start))

    def weights(self, connection: str) -> np.ndarray:
        """Weights of a connection, `[shape=(positions, fan_in, features)]`.

        A view of what the kernels use if memory order allows.
        """
        return self.description.connections[connection].unpack(self.packed_weights(connection))

    def packed_weights(self, connection: str) -> np.ndarray:
        """Weights of a connection as the kernels hold them, a view."""
        return self.plasticity.weights[self.layout.weights_of[connection]]

    def set_weights(self, connection: str, weights: np.ndarray) -> None:
        """Replace the weights of a connection."""
        packed = self.description.connections[connection].pack(weights)
        self.packed_weights(connection)[:] = packed
        self.touched(connection)[:] = 1

    def touched(self, connection: str) -> np.ndarray:
        """Flags of the cells whose weights changed since they were normalized, a view."""
        each = self.layout.connections.each[list(self.layout.weights_of).index(connection)]
        first = int(each["at_cells"])
        return self.plasticity.touched[first : first + int(each["blocks"] * each["row"])]

    def theta_mv(self, population: str) -> np.ndarray:
        """Adaptive thresholds of a population, `[shape=(neurons,)]`, a copy."""
        return self.plasticity.theta[self.layout.cells_of[population]]

    def set_theta_mv(self, population: str, theta_mv: np.ndarray) -> None:
        """Replace the adaptive thresholds of a population."""
        self.plasticity.theta[self.layout.cells_of[population]] = theta_mv

    def new_worker(self, state: State | None = None, watched: np.ndarray | None = None) -> Worker:
        """Everything a thread needs; ``watched`` are cells to record step by step."""
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
        simulation = self.description.simulation
        if learns.any():
            normalize(learns, self.layout.connections, self.plasticity)
        n_spikes, end, population = run_clip(
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
                else "diverged: a membrane potential is not finite or far out of range"
            )
            advice = (
                "Choose the integrator 'implicit-euler'"
                if simulation.integrator == "forward-euler"
                else "Lower the intensity, the rates or normal_sum, or strengthen the inhibition"
            )
            unusable = " The weights learned in this run are unusable; load a saved network."
            name = list(self.description.populations)[population]
            raise SimulationError(
                f"In clip {clip} the population '{name}' {what}. {advice}."
                + (unusable if learns.any() else "")
            )
        return int(n_spikes)
