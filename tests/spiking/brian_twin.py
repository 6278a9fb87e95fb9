"""The same network in Brian2, built from the description that the engine runs.

Written from the equations in Brian2's own terms: it is the reference, not a port of our code.
"""

from __future__ import annotations

import brian2 as b2
import numpy as np

from aver.spiking import Network

b2.BrianLogger.log_level_error()

MEMBRANE = """
dv/dt = (rest - v + g_e * (e_e - v) + g_i * (e_i - v)) / tau : 1 (unless refractory)
dg_e/dt = -g_e / tau_e : 1
dg_i/dt = -g_i / tau_i : 1
dtheta/dt = -theta / tau_theta : 1
total : 1
"""
PARTNER = """
dv/dt = (rest - v + g_e * (e_e - v)) / tau : 1 (unless refractory)
dg_e/dt = -g_e / tau_e : 1
"""
TRACES = """
w : 1
dpre/dt = -pre / tau_pre : 1 (event-driven)
dpost/dt = -post / tau_post : 1 (event-driven)
dpost2/dt = -post2 / tau_post2 : 1 (event-driven)
"""


def _rule_code(terms):
    down = f"w = clip(w - {terms.depression!r} * post"
    up = f"w = clip(w + {terms.potentiation!r} * (pre - {terms.target_trace!r})"
    if terms.power:
        down += f" * w ** {terms.power!r}"
        up += f" * clip({terms.highest_weight!r} - w, 0, inf) ** {terms.power!r}"
    if terms.post2_ms:
        up += " * post2"
    bounds = f", 0, {terms.highest_weight!r})"
    on_pre = "g_e_post += w\npre = 1\n" + (down + bounds if terms.depression else "")
    return on_pre, up + bounds + "\npost = 1\npost2 = 1"


class BrianTwin:
    """Brian2 objects for every part of a network, and a way to show it the same clips."""

    def __init__(self, network: Network, method="euler", learn=True, poisson=False):
        """With `poisson`, sources draw their own spikes, from rates instead of spike times."""
        b2.start_scope()
        self.network, self.learn = network, learn
        timing = network.simulation.timing
        b2.defaultclock.dt = timing.dt_ms * b2.ms
        self.objects, self.sources, self.groups, self.links = [], {}, {}, {}
        self.counters, self.monitors = {}, {}
        for name, source in network.sources.items():
            self.sources[name] = (
                b2.PoissonGroup(source.neurons, rates=0 * b2.Hz)
                if poisson
                else b2.SpikeGeneratorGroup(source.neurons, [], [] * b2.ms)
            )
            self.objects.append(self.sources[name])
        for name, population in network.populations.items():
            self._add_population(name, population, method)
        for name, connection in network.connections.items():
            self._add_connection(name, connection)
        self.brian = b2.Network(*self.objects)

    def _add_population(self, name, population, method):
        e, i, home = population.excitatory, population.inhibitory, population.homeostasis
        n = population.neurons
        adapt = f"; theta += {home.step_mv!r}" if self.learn else ""
        group = b2.NeuronGroup(
            n,
            MEMBRANE if self.learn else MEMBRANE.replace("-theta / tau_theta", "0 / tau_theta"),
            threshold=f"v > theta + {e.threshold_mv + home.offset_mv!r}",
            reset=f"v = {e.reset_mv!r}{adapt}",
            refractory=e.refractory_ms * b2.ms,
            method=method,
            namespace={
                "rest": e.rest_mv,
                "e_e": e.excitatory_reversal_mv,
                "e_i": e.inhibitory_reversal_mv,
                "tau": e.membrane_ms * b2.ms,
                "tau_e": e.excitatory_synapse_ms * b2.ms,
                "tau_i": e.inhibitory_synapse_ms * b2.ms,
                "tau_theta": home.decay_ms * b2.ms,
            },
        )
        carried = self.network.simulation.between_clips == "carry"
        group.v = e.start_mv if carried else e.rest_mv
        group.theta = self.network.theta_mv(name)
        self.groups[name] = group
        self.counters[name] = b2.SpikeMonitor(group)
        self.objects += [group, self.counters[name]]
        lateral = population.inhibition
        if lateral.reach == "none":
            return
        partners = b2.NeuronGroup(
            n,
            PARTNER,
            threshold=f"v > {i.threshold_mv!r}",
            reset=f"v = {i.reset_mv!r}",
            refractory=i.refractory_ms * b2.ms,
            method=method,
            namespace={
                "rest": i.rest_mv,
                "e_e": i.excitatory_reversal_mv,
                "tau": i.membrane_ms * b2.ms,
                "tau_e": i.excitatory_synapse_ms * b2.ms,
            },
        )
        partners.v = i.start_mv if carried else i.rest_mv
        up = b2.Synapses(group, partners, on_pre=f"g_e_post += {lateral.to_inhibitory!r}")
        up.connect(j="i")
        down = b2.Synapses(partners, group, on_pre=f"g_i_post += {lateral.to_excitatory!r}")
        pre, post = np.nonzero(~np.eye(n, dtype=bool))
        if lateral.reach == "same-position":
            same = pre // population.features == post // population.features
            pre, post = pre[same], post[same]
        if pre.size:  # a single neuron has no rivals
            down.connect(i=pre, j=post)
            self.objects += [partners, up, down]

    def _add_connection(self, name, connection):
        initial = self.network.weights(name)  # (positions, fan_in, features)
        population, inputs = connection.population, connection.inputs
        if len(inputs) == 1:
            inputs = np.repeat(inputs, population.positions, axis=0)
        pre = np.repeat(inputs[:, :, None], population.features, axis=2)
        post = np.arange(population.neurons).reshape(population.positions, 1, -1)
        post = np.broadcast_to(post, pre.shape)
        learns = self.learn and connection.rule is not None
        if learns:
            terms = connection.rule.terms
            on_pre, on_post = _rule_code(terms)
            taus = {
                "tau_pre": terms.pre_ms * b2.ms,
                "tau_post": terms.post_ms * b2.ms,
                "tau_post2": (terms.post2_ms or terms.post_ms) * b2.ms,
            }
        source = self.sources.get(connection.source) or self.groups[connection.source]
        synapses = b2.Synapses(
            source,
            self.groups[connection.target],
            TRACES if learns else "w : 1",
            on_pre=on_pre if learns else "g_e_post += w",
            on_post=on_post if learns else None,
            namespace=taus if learns else {},
        )
        synapses.connect(i=pre.ravel(), j=post.ravel())
        synapses.w = initial.ravel().astype(np.float64)
        if learns:
            synapses.pre.order, synapses.post.order = 0, 1  # see rules.py
        if connection.delay_ms.any():
            synapses.pre.delay = connection.delay_ms[pre.ravel()] * b2.ms
        self.links[name] = (synapses, connection, initial.shape)
        self.objects.append(synapses)

    def show(self, spikes: dict, start_ms: float) -> dict:
        """Run one clip; ``spikes``: source -> (times in ms, neurons) or rates; return counts."""
        for synapses, connection, shape in self.links.values():
            if self.learn and connection.rule is not None and connection.normal_sum:
                w = np.asarray(synapses.w).reshape(shape)
                w = w * (connection.normal_sum / w.sum(axis=1, keepdims=True))
                synapses.w = np.minimum(w, connection.highest_weight).ravel()
        before = {name: np.array(c.count) for name, c in self.counters.items()}
        timing = self.network.simulation.timing
        for name, given in spikes.items():
            if isinstance(given, tuple):
                self.sources[name].set_spikes(given[1], (start_ms + given[0]) * b2.ms)
            else:
                self.sources[name].rates = given * b2.Hz
        self.brian.run(timing.stimulus_ms * b2.ms)
        for name, given in spikes.items():
            if not isinstance(given, tuple):
                self.sources[name].rates = 0 * b2.Hz
        self.brian.run(timing.rest_ms * b2.ms)
        return {name: np.array(c.count) - before[name] for name, c in self.counters.items()}

    def normalize_before_each_clip(self) -> None:
        """Let Brian2 itself normalize, for runs that are one compiled program."""
        timing = self.network.simulation.timing
        every = (timing.stimulus_ms + timing.rest_ms) * b2.ms
        for synapses, connection, _ in self.links.values():
            if self.learn and connection.rule is not None:
                group = self.groups[connection.target]
                start = {"when": "start", "dt": every}
                group.run_regularly("total = 0", order=0, **start)
                synapses.run_regularly("total_post += w", order=1, **start)
                code = f"w = clip(w * {connection.normal_sum!r} / total_post, 0, 1)"
                synapses.run_regularly(code, order=2, **start)

    def weights(self, name: str) -> np.ndarray:
        """Weights `(positions, fan_in, features)`."""
        synapses, _, shape = self.links[name]
        return np.asarray(synapses.w).reshape(shape)

    def spikes(self, name: str, start_ms: float) -> list[tuple[float, int]]:
        """All (time, neuron) since ``start_ms``, sorted."""
        times = np.asarray(self.counters[name].t / b2.ms) - start_ms
        keep = times >= -1e-9
        rounded = np.round(times[keep], 6).tolist()
        return sorted(zip(rounded, np.asarray(self.counters[name].i)[keep].tolist(), strict=True))
