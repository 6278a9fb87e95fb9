"""State, weights and workspace of a network that is laid out: empty arrays of the right size."""

from __future__ import annotations

import numpy as np

from aver.spiking.kernels.ends import LONG_AGO
from aver.spiking.kernels.membranes import BLOCK
from aver.spiking.kernels.structures import Plasticity, State, Workspace
from aver.spiking.layout import Layout


def aligned_zeros(size: int, dtype: type) -> np.ndarray:
    """Zeros that begin at a cache line, so that vectors do not straddle two."""
    item = np.dtype(dtype).itemsize
    raw = np.zeros(size * item + 64, np.uint8)
    skip = -raw.ctypes.data % 64
    return raw[skip : skip + size * item].view(dtype)


def new_state(layout: Layout) -> State:
    """State before the very first clip."""
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
    """Weights of zero and thresholds of infinity, to be filled for all cells that are neurons."""
    cells = int((layout.connections.each["blocks"] * layout.connections.each["row"]).sum())
    weights = max((place.stop for place in layout.weights_of.values()), default=0)
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
    # No neuron fires more often than its refractory period lets it.
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
