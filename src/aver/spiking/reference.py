"""The equations of the engine in plain NumPy, written for readers.

Dense matrices and one step after another. The compiled kernels are tested against it; it is
hundreds of times slower. It shares only the description of a network with them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aver.spiking.network import Network
from aver.spiking.parameters import Neuron, Simulation
from aver.spiking.spikes import Spikes
from aver.spiking.topology import Connection, Population

NEVER = -np.inf


def advance(
    v: np.ndarray, g_e: np.ndarray, g_i: np.ndarray | float, neuron: Neuron, simulation: Simulation
) -> np.ndarray:
    """One step of ``tau dv/dt = (rest - v) + g_e (E_e - v) + g_i (E_i - v)``."""
    k = simulation.timing.dt_ms / neuron.membrane_ms
    e_e, e_i = neuron.excitatory_reversal_mv, neuron.inhibitory_reversal_mv
    if simulation.integrator == "forward-euler":
        return v + k * ((neuron.rest_mv - v) + g_e * (e_e - v) + g_i * (e_i - v))
    total = 1 + g_e + g_i
    goal = (neuron.rest_mv + g_e * e_e + g_i * e_i) / total
    if simulation.integrator == "implicit-euler":
        return (v + k * total * goal) / (1 + k * total)
    return goal + (v - goal) * np.exp(-k * total)


def decay(tau_ms: float, simulation: Simulation) -> float:
    """Factor per step of ``tau dx/dt = -x``."""
    k = simulation.timing.dt_ms / tau_ms
    if simulation.integrator == "forward-euler":
        return 1 - k
    return 1 / (1 + k) if simulation.integrator == "implicit-euler" else np.exp(-k)


class _Layer:
    """A population: membranes, thresholds, partners."""

    def __init__(self, name: str, network: Network) -> None:
        self.name, self.population = name, network.populations[name]
        self.simulation = network.simulation
        self.theta = network.theta_mv(name)
        carried = network.simulation.between_clips == "carry"
        self.v = self._filled(carried, self.population.excitatory)
        self.i_v = self._filled(carried, self.population.inhibitory)
        self.forget()
        self.rivals = rival_matrix(self.population)

    def _filled(self, carried: bool, neuron: Neuron) -> np.ndarray:
        return np.full(self.population.neurons, neuron.start_mv if carried else neuron.rest_mv)

    def forget(self) -> None:
        """No conductances, no memory of spikes."""
        n = self.population.neurons
        self.g_e, self.g_i, self.i_g_e = np.zeros(n), np.zeros(n), np.zeros(n)
        self.last, self.i_last = np.full(n, NEVER), np.full(n, NEVER)

    def rest(self) -> None:
        """Begin a clip with resting membranes and no memory."""
        self.v = self._filled(False, self.population.excitatory)
        self.i_v = self._filled(False, self.population.inhibitory)
        self.forget()

    def integrate(self, now: int, adapts: bool) -> None:
        """Advance membranes and thresholds, and determine which neurons fire."""
        simulation, steps = self.simulation, self.simulation.timing.in_steps
        e, i, home = (
            self.population.excitatory,
            self.population.inhibitory,
            self.population.homeostasis,
        )
        free = now - self.last >= steps(e.refractory_ms)
        self.v = np.where(free, advance(self.v, self.g_e, self.g_i, e, simulation), self.v)
        i_free = now - self.i_last >= steps(i.refractory_ms)
        self.i_v = np.where(i_free, advance(self.i_v, self.i_g_e, 0.0, i, simulation), self.i_v)
        self.g_e *= decay(e.excitatory_synapse_ms, simulation)
        self.g_i *= decay(e.inhibitory_synapse_ms, simulation)
        self.i_g_e *= decay(i.excitatory_synapse_ms, simulation)
        if adapts:
            self.theta *= decay(home.decay_ms, simulation)
        self.fired = free & (self.v > e.threshold_mv + home.offset_mv + self.theta)
        self.i_fired = i_free & (self.i_v > i.threshold_mv)

    def compete(self) -> None:
        """Excite the partners of neurons that fired; partners that fired inhibit rivals."""
        inhibition = self.population.inhibition
        if inhibition.reach != "none":
            self.i_g_e += inhibition.to_inhibitory * self.fired
            self.g_i += inhibition.to_excitatory * (self.i_fired @ self.rivals)

    def reset(self, now: int, adapts: bool) -> None:
        """Reset the neurons that fired."""
        self.v[self.fired] = self.population.excitatory.reset_mv
        self.last[self.fired] = now
        self.i_v[self.i_fired] = self.population.inhibitory.reset_mv
        self.i_last[self.i_fired] = now
        if adapts:
            self.theta[self.fired] += self.population.homeostasis.step_mv


def rival_matrix(population: Population) -> np.ndarray:
    """Lateral inhibition, `[shape=(neurons, neurons)]`: 1 from a partner to a rival."""
    neuron = np.arange(population.neurons)
    rivals = neuron[:, None] != neuron[None, :]
    if population.inhibition.reach == "same-position":
        position = neuron // population.features
        rivals &= position[:, None] == position[None, :]
    return rivals.astype(float)


class _Link:
    """A connection as a matrix of weights, with zeros for missing synapses."""

    def __init__(self, connection: Connection, network: Network) -> None:
        self.connection = connection
        self.rule = None if connection.rule is None else connection.rule.terms
        self.delays = np.rint(connection.delay_ms / network.simulation.timing.dt_ms).astype(int)
        self.dt_ms = network.simulation.timing.dt_ms
        self.pre, self.post = synapses(connection)
        shape = (connection.source_neurons, connection.population.neurons)
        self.exists = np.zeros(shape, bool)
        self.exists[self.pre, self.post] = True
        self.w = np.zeros(shape)
        self.w[self.pre, self.post] = network.weights(connection.name).ravel()
        self.underway: dict[int, list[int]] = {}
        self.forget()

    def forget(self) -> None:
        """No memory of arrivals."""
        self.last_arrival = np.full(self.connection.source_neurons, NEVER)
        self.underway.clear()

    def trace(self, last: np.ndarray, now: int, tau_ms: float) -> np.ndarray:
        """Trace of the nearest spike: 1 at the spike, decaying exponentially."""
        return np.exp(-(now - last) * self.dt_ms / tau_ms)

    def normalize(self) -> None:
        """Scale the weights onto each neuron to their sum, up to the bound of the rule."""
        total = self.w.sum(axis=0)
        if self.connection.normal_sum:
            self.w *= np.divide(
                self.connection.normal_sum, total, out=np.ones_like(total), where=total > 0
            )
            self.w = np.minimum(self.w, self.connection.highest_weight)

    def arrive(self, fired: np.ndarray, now: int, target: _Layer, learns: bool) -> None:
        """Send spikes, and apply those that arrive now."""
        for neuron in fired:
            self.underway.setdefault(now + self.delays[neuron], []).append(neuron)
        arriving = np.array(self.underway.pop(now, []), dtype=int)
        target.g_e += self.w[arriving].sum(axis=0)
        if not learns or self.rule is None:
            return
        self.last_arrival[arriving] = now
        post = self.trace(target.last, now, self.rule.post_ms)
        for neuron in arriving:
            w = self.w[neuron]
            drop = self.rule.depression * post * w**self.rule.power
            self.w[neuron] = np.where(self.exists[neuron], np.maximum(w - drop, 0), 0)

    def reward(self, now: int, target: _Layer) -> None:
        """The post-synaptic part of the rule for every neuron that fires now."""
        if self.rule is None:
            return
        pre = self.trace(self.last_arrival, now, self.rule.pre_ms)
        for neuron in np.flatnonzero(target.fired):
            w = self.w[:, neuron]
            gain = np.array(self.rule.potentiation)
            if self.rule.post2_ms:
                gain = gain * self.trace(target.last[neuron], now, self.rule.post2_ms)
            room = np.maximum(self.rule.highest_weight - w, 0) ** self.rule.power
            grown = np.clip(
                w + gain * (pre - self.rule.target_trace) * room, 0, self.rule.highest_weight
            )
            self.w[:, neuron] = np.where(self.exists[:, neuron], grown, 0)

    def share(self, counts: np.ndarray) -> None:
        """Give all neurons of a feature map the weights of its most active neuron."""
        w = self.weights()
        by_map = counts.reshape(w.shape[0], w.shape[2])
        for feature in np.flatnonzero(by_map.max(axis=0)):
            w[:, :, feature] = w[by_map[:, feature].argmax(), :, feature]
        self.w[self.pre, self.post] = w.ravel()

    def weights(self) -> np.ndarray:
        """Weights as `(positions, fan_in, features)`."""
        population = self.connection.population
        shape = (population.positions, self.connection.fan_in, population.features)
        return self.w[self.pre, self.post].reshape(shape)


def synapses(connection: Connection) -> tuple[np.ndarray, np.ndarray]:
    """Source and target neuron of every weight, in the order of `(positions, fan_in, features)`."""
    population, inputs = connection.population, connection.inputs
    if connection.windows is None:
        inputs = np.repeat(inputs, population.positions, axis=0)
    pre = np.repeat(inputs[:, :, None], population.features, axis=2)
    post = np.arange(population.neurons).reshape(population.positions, 1, population.features)
    return pre.ravel(), np.broadcast_to(post, pre.shape).ravel()


class Reference:
    """Runs a copy of a network, in its current state, in NumPy on given spikes.

    Parameters
    ----------
    network : Network

    Notes
    -----
    Clips are spikes, not rates, so that both engines get the same input. Clips are shown once.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = {name: _Layer(name, network) for name in network.populations}
        self._links = {name: _Link(c, network) for name, c in network.connections.items()}
        self._clock = 0

    def run(self, clips: Mapping[str, list[Spikes]], learn: bool = True) -> list[dict]:
        """Show clips; return for each the spikes of every population as :class:`Spikes`."""
        n_clips = len(next(iter(clips.values())))
        return [
            self._run_clip({name: items[k] for name, items in clips.items()}, learn)
            for k in range(n_clips)
        ]

    def weights(self, connection: str) -> np.ndarray:
        """Weights as `(positions, fan_in, features)`."""
        return self._links[connection].weights()

    def theta_mv(self, population: str) -> np.ndarray:
        """Adaptive thresholds."""
        return self._layers[population].theta

    def _run_clip(self, clip: Mapping[str, Spikes], learn: bool) -> dict[str, Spikes]:
        timing = self._network.simulation.timing
        if self._network.simulation.between_clips == "reset":
            for layer in self._layers.values():
                layer.rest()
            for link in self._links.values():
                link.forget()
        if learn:
            for link in self._links.values():
                if link.rule is not None:
                    link.normalize()
        steps = {
            name: np.rint((spikes.time_ms + self._network.sources[name].lag_ms) / timing.dt_ms)
            for name, spikes in clip.items()
        }
        fired: dict[str, list[tuple[float, int]]] = {name: [] for name in self._layers}
        for step in range(timing.steps):
            inputs = {name: clip[name].neuron[steps[name] == step] for name in clip}
            self._step(inputs, learn)
            for name, layer in self._layers.items():
                fired[name] += [(step * timing.dt_ms, j) for j in np.flatnonzero(layer.fired)]
        spikes = {
            name: Spikes(np.array([t for t, _ in rows]), np.array([j for _, j in rows], int))
            for name, rows in fired.items()
        }
        if learn:
            for link in self._links.values():
                if link.connection.sharing == "winner":
                    target = link.connection.target
                    link.share(spikes[target].counts(self._layers[target].population.neurons))
        return spikes

    def _step(self, inputs: Mapping[str, np.ndarray], learn: bool) -> None:
        """Membranes and thresholds, arriving spikes, inhibition, learning, resets."""
        now = self._clock
        learning = {
            link.connection.target
            for link in self._links.values()
            if learn and link.rule is not None
        }
        for name, layer in self._layers.items():
            layer.integrate(now, name in learning)
        for link in self._links.values():
            source, target = link.connection.source, self._layers[link.connection.target]
            fired = (
                inputs[source] if source in inputs else np.flatnonzero(self._layers[source].fired)
            )
            link.arrive(fired, now, target, learn)
        for layer in self._layers.values():
            layer.compete()
        if learn:
            for link in self._links.values():
                link.reward(now, self._layers[link.connection.target])
        for name, layer in self._layers.items():
            layer.reset(now, name in learning)
        self._clock += 1
