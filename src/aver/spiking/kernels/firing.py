"""Who fires, who must wait, and whom the spikes reach."""

from __future__ import annotations

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.membranes import BLOCK


@kernel
def hold_refractory(p, now, pops, state, work):
    """Keep the potential of refractory cells at reset; let go of those whose time is over."""
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
    """Reset the cells that fired in this step and make them wait."""
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

    Its source is a population; spikes that have a way to go wait in the delay line.
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
