"""Membranes, spikes, refractory periods and lateral inhibition."""

from __future__ import annotations

import math

import numpy as np

from aver.spiking.kernels.compile import fused_kernel, kernel

FORWARD, IMPLICIT, EXPONENTIAL = 0, 1, 2
"""Numbers of the integrators inside the kernels."""

# A conductance that decays for ever would reach denormal numbers, a hundred times slower; this
# floor is far below anything that moves a membrane.
FLOOR = 1e-30

BLOCK = 512
"""Cells whose membranes are advanced together; only blocks with risen cells are searched."""


@fused_kernel
def _forward(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold):
    above = 0
    for j in range(v.size):
        g = np.float64(g_e[j])
        h = g_i[j]
        x = v[j]
        x += leak * ((rest - x) + g * (e_e - x) + h * (e_i - x))
        v[j] = x
        g_e[j] = g_e[j] * np.float32(fade_e) + np.float32(FLOOR)
        g_i[j] = h * fade_i + FLOOR
        above += x > threshold + theta[j] * scale
    return above


@fused_kernel
def _implicit(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold):
    above = 0
    for j in range(v.size):
        g = np.float64(g_e[j])
        h = g_i[j]
        x = (v[j] + leak * (rest + g * e_e + h * e_i)) / (1.0 + leak * (1.0 + g + h))
        v[j] = x
        g_e[j] = g_e[j] * np.float32(fade_e) + np.float32(FLOOR)
        g_i[j] = h * fade_i + FLOOR
        above += x > threshold + theta[j] * scale
    return above


@fused_kernel
def _exponential(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold):
    above = 0
    for j in range(v.size):
        g = np.float64(g_e[j])
        h = g_i[j]
        total = 1.0 + g + h
        goal = (rest + g * e_e + h * e_i) / total
        x = goal + (v[j] - goal) * math.exp(-leak * total)
        v[j] = x
        g_e[j] = g_e[j] * np.float32(fade_e) + np.float32(FLOOR)
        g_i[j] = h * fade_i + FLOOR
        above += x > threshold + theta[j] * scale
    return above


@fused_kernel
def _advance_block(a, b, p, pops, state, theta, scale, integrator):
    """Advance cells ``a`` to ``b`` of population ``p``; return how many lie above threshold."""
    v, g_e, g_i = state.v[a:b], state.g_e[a:b], state.g_i[a:b]
    theta = theta[a:b]
    leak, rest, threshold = pops[p].leak, pops[p].rest, pops[p].threshold
    e_e, e_i = pops[p].excitatory_reversal, pops[p].inhibitory_reversal
    fade_e, fade_i = pops[p].excitatory_decay, pops[p].inhibitory_decay
    if integrator == FORWARD:
        return _forward(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold)
    if integrator == IMPLICIT:
        return _implicit(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold)
    return _exponential(v, g_e, g_i, theta, scale, leak, rest, e_e, e_i, fade_e, fade_i, threshold)


@fused_kernel
def advance_membranes(p, pops, state, theta, scale, work, integrator):
    """Advance population ``p`` by one step; list the blocks that have cells above threshold.

    Returns the number of such blocks; ``work.risen`` holds their first cells.
    """
    first, last = pops[p].start, pops[p].stop
    risen = 0
    for a in range(first, last, BLOCK):
        b = min(a + BLOCK, last)
        if _advance_block(a, b, p, pops, state, theta, scale, integrator) > 0:
            work.risen[risen] = a
            risen += 1
    return risen


@fused_kernel
def advance_one(v, g_e, leak, rest, e_e, integrator):
    """One step of a single membrane that receives no inhibition."""
    if integrator == FORWARD:
        return v + leak * ((rest - v) + g_e * (e_e - v))
    if integrator == IMPLICIT:
        return (v + leak * (rest + g_e * e_e)) / (1.0 + leak * (1.0 + g_e))
    goal = (rest + g_e * e_e) / (1.0 + g_e)
    return goal + (v - goal) * math.exp(-leak * (1.0 + g_e))


# A conductance below this moves a membrane by less than a billionth of a millivolt.
NEGLIGIBLE = 1e-9


@kernel
def advance_partners(p, now, pops, state, work, integrator):
    """Advance the active partners of population ``p``; return how many of them fire."""
    first = pops[p].start
    kept = fired = 0
    for k in range(work.active_count[p]):
        j = work.active_cells[first + k]
        since = now - state.i_last_spike[j]
        if since >= pops[p].i_refractory:
            state.i_v[j] = advance_one(
                state.i_v[j],
                state.i_g_e[j],
                pops[p].i_leak,
                pops[p].i_rest,
                pops[p].i_excitatory_reversal,
                integrator,
            )
            if state.i_v[j] > pops[p].i_threshold:
                work.i_spikes[first + fired] = j
                fired += 1
                state.i_last_spike[j] = now
                state.i_v[j] = pops[p].i_reset
        state.i_g_e[j] *= pops[p].i_excitatory_decay
        if state.i_g_e[j] < NEGLIGIBLE and now - state.i_last_spike[j] >= (pops[p].i_refractory):
            state.i_g_e[j] = 0.0
            state.i_active[j] = 0
            state.i_updated[j] = now
        else:
            work.active_cells[first + kept] = j
            kept += 1
    work.active_count[p] = kept
    return fired


@kernel
def excite_partners(p, now, pops, state, work):
    """Pass this step's excitatory spikes of population ``p`` one-to-one to their partners."""
    first = pops[p].start
    for k in range(work.spike_from[p], work.spike_to[p]):
        j = work.spike_cells[k]
        if state.i_active[j] == 0:
            # Inactive since i_updated: the membrane has decayed towards rest in closed form.
            steps = now - state.i_updated[j]
            rest = pops[p].i_rest
            state.i_v[j] = rest + (state.i_v[j] - rest) * pops[p].i_silent_decay ** steps
            state.i_active[j] = 1
            work.active_cells[first + work.active_count[p]] = j
            work.active_count[p] += 1
        state.i_g_e[j] += pops[p].to_inhibitory


@kernel
def inhibit_rivals(p, fired, pops, state, work):
    """The partners that fire inhibit their group, except for the neuron that they belong to."""
    first, group, weight = pops[p].start, pops[p].group, pops[p].to_excitatory
    for k in range(fired):
        j = work.i_spikes[first + k]
        work.group_input[j - (j - first) % group] += weight
    for k in range(fired):
        j = work.i_spikes[first + k]
        head = j - (j - first) % group
        total = work.group_input[head]
        if total > 0.0:
            work.group_input[head] = 0.0
            g_i = state.g_i[head : head + group]
            for m in range(group):
                g_i[m] += total
    for k in range(fired):
        state.g_i[work.i_spikes[first + k]] -= weight


@kernel
def hold_refractory(p, now, pops, state, work):
    """Keep the potential of refractory cells at reset; release those whose period is over."""
    first, room = pops[p].start, pops[p].stop - pops[p].start
    head, count = work.refractory_first[p], work.refractory_count[p]
    while count > 0:
        j = work.refractory_cells[first + head]
        if now - state.last_spike[j] < pops[p].refractory:
            break
        head = (head + 1) % room
        count -= 1
    work.refractory_first[p] = head
    work.refractory_count[p] = count
    for k in range(count):
        j = work.refractory_cells[first + (head + k) % room]
        state.v[j] = pops[p].reset


@kernel
def list_spikes(p, now, step, scale, risen, n_spikes, pops, state, plasticity, work):
    """Append the cells of population ``p`` that fire now to the spike lists.

    They lie in the first ``risen`` of the blocks that ``work.risen`` lists.
    """
    threshold, wait = pops[p].threshold, pops[p].refractory
    for k in range(risen):
        a = work.risen[k]
        for j in range(a, min(a + BLOCK, pops[p].stop)):
            if (
                state.v[j] > threshold + plasticity.theta[j] * scale
                and now - state.last_spike[j] >= wait
            ):
                work.spike_cells[n_spikes] = j
                work.spike_steps[n_spikes] = step
                n_spikes += 1
    return n_spikes


@kernel
def reset_fired(p, now, adapt, pops, state, plasticity, work):
    """Reset the cells that fired in this step and begin their refractory period."""
    first, room = pops[p].start, pops[p].stop - pops[p].start
    for k in range(work.spike_from[p], work.spike_to[p]):
        j = work.spike_cells[k]
        state.v[j] = pops[p].reset
        state.last_spike[j] = now
        if adapt:
            plasticity.theta[j] += pops[p].theta_step / work.theta_scale[p]
        if pops[p].refractory > 1:
            end = (work.refractory_first[p] + work.refractory_count[p]) % room
            work.refractory_cells[first + end] = j
            work.refractory_count[p] += 1


@kernel
def list_reaching(c, now, conns, state, work, neuron_of_cell):
    """Write the neurons whose spikes reach connection ``c`` now to ``work.fired``; count them.

    The source is a population; spikes with a delay wait in the delay line.
    """
    source, ring = conns.each[c].source, conns.each[c].ring
    n_fired = work.spike_to[source] - work.spike_from[source]
    for k in range(n_fired):
        work.fired[k] = neuron_of_cell[work.spike_cells[work.spike_from[source] + k]]
    if ring == 0:
        return n_fired
    slots, first, room = conns.each[c].at_slots, conns.each[c].at_ring, conns.each[c].sources
    for k in range(n_fired):
        slot = (now + conns.delays[conns.each[c].at_sources + work.fired[k]]) % ring
        state.ring[first + slot * room + state.ring_filled[slots + slot]] = work.fired[k]
        state.ring_filled[slots + slot] += 1
    slot = now % ring
    due = state.ring_filled[slots + slot]
    for k in range(due):
        work.fired[k] = state.ring[first + slot * room + k]
    state.ring_filled[slots + slot] = 0
    return due
