"""The two ends of a clip: taking up or forgetting what was before, and closing it early."""

from __future__ import annotations

import math

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.inhibition import NEGLIGIBLE
from aver.spiking.kernels.synapses import remember_recent

LONG_AGO = -(1 << 40)
"""A step before any clock started; every trace of it has vanished."""

FINE, RUNAWAY, NOT_FINITE = 0, 1, 2
"""How a clip ended."""


@kernel
def prepare(clock, reset, learns, pops, conns, state, plasticity, work):
    """Forget the last clip, or take up its threads, and fill the lists of the workspace."""
    if reset:
        for p in range(pops.size):
            state.v[pops[p].start : pops[p].stop] = pops[p].rest
            state.i_v[pops[p].start : pops[p].stop] = pops[p].i_rest
        state.g_e[:] = 0.0
        state.g_i[:] = 0.0
        state.i_g_e[:] = 0.0
        state.i_active[:] = 0
        state.i_updated[:] = clock - 1
        state.last_spike[:] = LONG_AGO
        state.i_last_spike[:] = LONG_AGO
        state.last_arrival[:] = LONG_AGO
        state.ring_filled[:] = 0
    for p in range(pops.size):
        work.refractory_first[p] = work.refractory_count[p] = work.active_count[p] = 0
        first = pops[p].start
        if not reset:
            for j in range(first, pops[p].stop):
                if state.i_active[j]:
                    work.active_cells[first + work.active_count[p]] = j
                    work.active_count[p] += 1
            # Oldest first, as spikes will leave the ring in that order.
            for age in range(pops[p].refractory - 1, 0, -1):
                for j in range(first, pops[p].stop):
                    if clock - state.last_spike[j] == age:
                        work.refractory_cells[first + work.refractory_count[p]] = j
                        work.refractory_count[p] += 1
    work.theta_scale[:] = 1.0
    work.group_input[:] = 0.0
    remember_recent(clock, learns, conns, state, plasticity, work)


@kernel
def at_peace(step, arrivals, carry, conns, pops, state, plasticity, work):
    """Whether no excitatory neuron can fire any more before the clip ends.

    So it is where nothing more arrives and every conductance is too weak to lift its membrane to
    the lowest threshold still to come. Where state is carried over, all conductances must have
    vanished as well, so that the rest of the decay has a closed form.
    """
    steps = arrivals.shape[1] - 1
    for c in range(conns.each.size):
        if conns.each[c].source < 0:
            if arrivals[c, step + 1] < arrivals[c, steps]:
                return False
        elif conns.each[c].ring > 0:
            for slot in range(conns.each[c].ring):
                if state.ring_filled[conns.each[c].at_slots + slot] > 0:
                    return False
    for p in range(pops.size):
        if carry and (work.active_count[p] > 0 or work.refractory_count[p] > 0):
            return False
        last_scale = work.theta_scale[p] * pops[p].theta_decay ** (steps - 1 - step)
        for j in range(pops[p].start, pops[p].stop):
            g_e, g_i = state.g_e[j], state.g_i[j]
            if carry and (g_e > NEGLIGIBLE or g_i > NEGLIGIBLE):
                return False
            theta = plasticity.theta[j]
            if theta < math.inf:
                lowest = pops[p].threshold + theta * last_scale
                push = g_e * (pops[p].excitatory_reversal - lowest)
                push += g_i * max(pops[p].inhibitory_reversal - lowest, 0.0)
                if state.v[j] >= lowest or push >= lowest - pops[p].rest:
                    return False
    return True


@kernel
def finish(left, adapts, carry, pops, state, plasticity, work):
    """Close the last ``left`` steps of a clip in closed form and store what learning changed."""
    for p in range(pops.size):
        first, last = pops[p].start, pops[p].stop
        if carry and left > 0:
            fade = pops[p].silent_decay ** left
            for j in range(first, last):
                state.v[j] = pops[p].rest + (state.v[j] - pops[p].rest) * fade
                state.g_e[j] = state.g_i[j] = 0.0
        if adapts[p]:
            scale = work.theta_scale[p] * pops[p].theta_decay ** left
            for j in range(first, last):
                plasticity.theta[j] *= scale
        for j in range(first, last):
            if not abs(state.v[j]) < 1e6:
                return NOT_FINITE, p
    return FINE, -1
