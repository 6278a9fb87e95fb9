"""From the description of a network to the flat arrays of the kernels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aver.errors import SettingsError
from aver.spiking.kernels.clip import LONG_AGO
from aver.spiking.kernels.neurons import BLOCK, EXPONENTIAL, FORWARD, IMPLICIT
from aver.spiking.kernels.structures import (
    CONNECTION,
    POPULATION,
    Connections,
    Plasticity,
    State,
    Workspace,
)
from aver.spiking.parameters import Simulation
from aver.spiking.rules import RuleTerms
from aver.spiking.topology import Connection, Population

INTEGRATORS = {
    "forward-euler": FORWARD,
    "implicit-euler": IMPLICIT,
    "exponential-euler": EXPONENTIAL,
}

# Changes of a weight below this share of its bound vanish in single precision.
NEGLIGIBLE_CHANGE = 2e-8
# Traces below this are zero.
NEGLIGIBLE_TRACE = 1e-9

_NO_RULE = RuleTerms(pre_ms=1.0, post_ms=1.0, highest_weight=math.inf)


@dataclass(frozen=True, eq=False)
class Layout:
    """Constants of a network, flattened, and the maps between its neurons and cells."""

    populations: np.ndarray  # POPULATION, one per population
    connections: Connections
    cells_of: dict[str, np.ndarray]  # population -> cell of each neuron
    neuron_of_cell: np.ndarray
    weights_of: dict[str, slice]  # connection -> its slice of the weights
    steps: int

    @property
    def n_cells(self) -> int:
        """Number of cells, padding included."""
        return int(self.neuron_of_cell.size)


def lay_out(
    simulation: Simulation,
    populations: Mapping[str, Population],
    connections: Mapping[str, Connection],
) -> Layout:
    """Flatten a network.

    Raises
    ------
    SettingsError
        If the integrator is unstable with these constants.
    """
    names = list(populations)
    stops = np.cumsum([p.positions * p.padded_features for p in populations.values()])
    starts = np.concatenate([[0], stops[:-1]])
    cells_of, neuron_of_cell = {}, np.full(stops[-1], -1, np.int32)
    for start, (name, population) in zip(starts, populations.items(), strict=True):
        within = np.arange(population.neurons)
        position, feature = np.divmod(within, population.features)
        cells_of[name] = start + position * population.padded_features + feature
        neuron_of_cell[cells_of[name]] = within
    sizes = [c.inputs.size * _row(c) for c in connections.values()]
    ends = np.cumsum(sizes)
    weights_of = {
        name: slice(int(end - size), int(end))
        for name, end, size in zip(connections, ends, sizes, strict=True)
    }
    return Layout(
        populations=_populations(simulation, list(populations.values()), starts, stops),
        connections=_connections(simulation, names, starts, list(connections.values()), weights_of),
        cells_of=cells_of,
        neuron_of_cell=neuron_of_cell,
        weights_of=weights_of,
        steps=simulation.timing.steps,
    )


def _row(connection: Connection) -> int:
    padded = connection.population.padded_features
    return padded if connection.windows is not None else padded * connection.population.positions


def _decay(simulation: Simulation, tau_ms: float) -> float:
    """Factor per step of ``dx/dt = -x / tau`` under the integrator of the simulation."""
    k = simulation.timing.dt_ms / tau_ms
    if simulation.integrator == "forward-euler":
        if k >= 1:
            raise SettingsError(
                f"Forward Euler is unstable: dt is {simulation.timing.dt_ms} ms, a time constant "
                f"{tau_ms} ms. Shorten dt_ms or choose 'implicit-euler'."
            )
        return 1 - k
    return 1 / (1 + k) if simulation.integrator == "implicit-euler" else math.exp(-k)


def _populations(
    simulation: Simulation, populations: list[Population], starts: np.ndarray, stops: np.ndarray
) -> np.ndarray:
    timing = simulation.timing
    table = np.zeros(len(populations), POPULATION)
    for record, population, start, stop in zip(table, populations, starts, stops, strict=True):
        e, i = population.excitatory, population.inhibitory
        home, rivals = population.homeostasis, population.inhibition
        width = population.padded_features
        values = {
            "start": start,
            "stop": stop,
            "neurons": population.neurons,
            "group": {"same-position": width, "all": stop - start, "none": 0}[rivals.reach],
            "refractory": timing.in_steps(e.refractory_ms),
            "i_refractory": timing.in_steps(i.refractory_ms),
            "leak": timing.dt_ms / e.membrane_ms,
            "rest": e.rest_mv,
            "reset": e.reset_mv,
            "threshold": e.threshold_mv + home.offset_mv,
            "initial": e.start_mv,
            "excitatory_reversal": e.excitatory_reversal_mv,
            "inhibitory_reversal": e.inhibitory_reversal_mv,
            "excitatory_decay": _decay(simulation, e.excitatory_synapse_ms),
            "inhibitory_decay": _decay(simulation, e.inhibitory_synapse_ms),
            "theta_step": home.step_mv,
            "theta_decay": _decay(simulation, home.decay_ms),
            "silent_decay": _decay(simulation, e.membrane_ms),
            "i_leak": timing.dt_ms / i.membrane_ms,
            "i_rest": i.rest_mv,
            "i_reset": i.reset_mv,
            "i_threshold": i.threshold_mv,
            "i_initial": i.start_mv,
            "i_excitatory_reversal": i.excitatory_reversal_mv,
            "i_excitatory_decay": _decay(simulation, i.excitatory_synapse_ms),
            "i_silent_decay": _decay(simulation, i.membrane_ms),
            "to_inhibitory": rivals.to_inhibitory,
            "to_excitatory": rivals.to_excitatory,
        }
        for name, value in values.items():
            record[name] = value
    return table


def _connections(
    simulation: Simulation,
    names: list[str],
    starts: np.ndarray,
    connections: list[Connection],
    weights_of: Mapping[str, slice],
) -> Connections:
    table = np.zeros(len(connections), CONNECTION)
    flat: dict[str, list[np.ndarray]] = {name: [] for name in Connections._fields[-8:]}
    begins = dict.fromkeys(("inputs", "sources", "cells", "blocks", "ages", "ring", "slots"), 0)
    for record, connection in zip(table, connections, strict=True):
        inputs = connection.inputs
        blocks, fan_in = inputs.shape
        row = _row(connection)
        sources = connection.source_neurons
        terms = connection.rule.terms if connection.rule is not None else _NO_RULE
        delays = np.rint(connection.delay_ms / simulation.timing.dt_ms).astype(np.int32)
        internal = connection.source in names
        ring = int(delays.max()) + 1 if internal and delays.any() else 0
        tables, horizon = _tables(terms, simulation.timing.dt_ms)
        order = np.argsort(inputs.ravel(), kind="stable").astype(np.int32)
        values = {
            "source": names.index(connection.source) if internal else -1,
            "target": names.index(connection.target),
            "first_cell": starts[names.index(connection.target)],
            "sources": sources,
            "blocks": blocks,
            "fan_in": fan_in,
            "row": row,
            "depression": terms.depression,
            "potentiation": terms.potentiation,
            "target_trace": terms.target_trace,
            "power": terms.power,
            "highest": terms.highest_weight,
            "triplet": terms.post2_ms > 0,
            "normal_sum": connection.normal_sum or 0.0,
            "horizon": horizon,
            "ages": tables[0].size,
            "ring": ring,
            "at_weights": weights_of[connection.name].start,
            **{f"at_{name}": begin for name, begin in begins.items()},
        }
        for name, value in values.items():
            record[name] = value
        parts = {
            "inputs": inputs.ravel(),
            "first_segment": np.searchsorted(inputs.ravel()[order], np.arange(sources + 1)),
            "segments": order,
            "segment_blocks": order // fan_in,
            "delays": delays,
            "pre_table": tables[0],
            "post_table": tables[1],
            "post2_table": tables[2],
        }
        for name, part in parts.items():
            flat[name].append(part)
        for name, size in (
            ("inputs", inputs.size),
            ("sources", sources),
            ("cells", blocks * row),
            ("blocks", blocks),
            ("ages", tables[0].size),
            ("ring", ring * sources),
            ("slots", ring),
        ):
            begins[name] += size
    return Connections(
        each=table,
        **{
            name: np.concatenate(parts).astype(np.float64 if name.endswith("_table") else np.int32)
            for name, parts in flat.items()
        },
    )


def _tables(terms: RuleTerms, dt_ms: float) -> tuple[list[np.ndarray], int]:
    """Tables of traces by age in steps, which end with zero, and the age where depression ends."""
    taus = (terms.pre_ms, terms.post_ms, terms.post2_ms or terms.post_ms)
    length = math.ceil(-math.log(NEGLIGIBLE_TRACE) * max(taus) / dt_ms) + 1
    tables = [np.exp(-np.arange(length) * dt_ms / tau) for tau in taus]
    for table in tables:
        table[table < NEGLIGIBLE_TRACE] = 0.0
        table[-1] = 0.0
    if terms.depression == 0:
        return tables, 0
    least = NEGLIGIBLE_CHANGE * terms.highest_weight / terms.depression
    return tables, int(np.count_nonzero(tables[1] > max(least, NEGLIGIBLE_TRACE)))


def aligned_zeros(size: int, dtype: type) -> np.ndarray:
    """Zeros that begin at a cache line, so that no vector crosses its end."""
    item = np.dtype(dtype).itemsize
    raw = np.zeros(size * item + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size * item].view(dtype)


def new_state(layout: Layout) -> State:
    """State before the first clip."""
    cells, conns, pops = layout.n_cells, layout.connections, layout.populations
    at_sources = int(conns.delays.size)
    state = State(
        v=aligned_zeros(cells, np.float64),
        g_e=aligned_zeros(cells, np.float32),
        g_i=aligned_zeros(cells, np.float64),
        last_spike=np.full(cells, LONG_AGO, np.int64),
        i_v=np.zeros(cells),
        i_g_e=np.zeros(cells),
        i_updated=np.full(cells, -1, np.int64),
        i_last_spike=np.full(cells, LONG_AGO, np.int64),
        i_active=np.zeros(cells, np.uint8),
        last_arrival=np.full(at_sources, LONG_AGO, np.int64),
        ring=np.zeros(int((conns.each["ring"] * conns.each["sources"]).sum()), np.int32),
        ring_filled=np.zeros(int(conns.each["ring"].sum()), np.int32),
    )
    for p in range(pops.size):
        state.v[pops[p]["start"] : pops[p]["stop"]] = pops[p]["initial"]
        state.i_v[pops[p]["start"] : pops[p]["stop"]] = pops[p]["i_initial"]
    return state


def new_plasticity(layout: Layout) -> Plasticity:
    """Zero weights and infinite thresholds, to be set for all cells that are neurons."""
    cells = int((layout.connections.each["blocks"] * layout.connections.each["row"]).sum())
    weights = max((one.stop for one in layout.weights_of.values()), default=0)
    theta = aligned_zeros(layout.n_cells, np.float64)
    theta[:] = np.inf
    return Plasticity(
        weights=aligned_zeros(weights, np.float32),
        theta=theta,
        touched=np.ones(cells, np.uint8),
    )


def new_workspace(layout: Layout) -> Workspace:
    """Empty lists for one thread."""
    pops, conns, cells = layout.populations, layout.connections, layout.n_cells
    columns = int((conns.each["blocks"] * conns.each["row"]).sum())
    blocks = int(conns.each["blocks"].sum())
    n = int(pops.size)
    # No neuron fires more often than its refractory period allows.
    room = int((pops["neurons"] * (layout.steps // np.maximum(pops["refractory"], 1) + 1)).sum())
    return Workspace(
        risen=np.empty(cells // BLOCK + 1, np.int64),
        spike_cells=np.empty(room, np.int32),
        spike_steps=np.empty(room, np.int32),
        spike_from=np.zeros(n, np.int64),
        spike_to=np.zeros(n, np.int64),
        refractory_cells=np.empty(cells, np.int32),
        refractory_first=np.zeros(n, np.int64),
        refractory_count=np.zeros(n, np.int64),
        active_cells=np.empty(cells, np.int32),
        active_count=np.zeros(n, np.int64),
        i_spikes=np.empty(cells, np.int32),
        i_fired=np.zeros(n, np.int64),
        fired=np.empty(cells, np.int32),
        in_window=np.zeros(n, np.int64),
        group_input=np.zeros(cells),
        recent=np.zeros(columns, np.int32),
        recent_flag=np.zeros(columns, np.uint8),
        recent_count=np.zeros(blocks, np.int64),
        drop=aligned_zeros(columns, np.float32),
        theta_scale=np.ones(n),
    )
