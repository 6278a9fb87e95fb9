"""The loop over the steps of one clip.

Order within a step, as in Brian2's default schedule: membranes, thresholds, arriving spikes
(with depression), inhibition, learning at post-synaptic spikes, resets.
"""

from __future__ import annotations

import math

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.inhibition import (
    NEGLIGIBLE,
    advance_partners,
    excite_partners,
    inhibit_rivals,
)
from aver.spiking.kernels.membranes import advance_membranes
from aver.spiking.kernels.synapses import age_drops, deliver, remember_recent, reward

LONG_AGO = -(1 << 40)
"""A step before any clock started; every trace of it has vanished."""

FINE, RUNAWAY, NOT_FINITE = 0, 1, 2
"""How a clip ended."""


@kernel
def _prepare(clock, reset, learns, pops, conns, state, plasticity, work):
    """Forget the last clip, or take up its threads, and fill the lists of the workspace."""
    if reset:
        for p in range(pops.size):
            state.v[pops[p].start : pops[p].stop] = pops[p].rest
            state.i_v[pops[p].start : pops[p].stop] = pops[p].i_rest
        state.g_e[:] = 0.0
        state.g_i[:] = 0.0
        state.arrived[:] = 0.0
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
def _hold_refractory(p, now, pops, state, work):
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
def _list_spikes(p, now, step, scale, n_spikes, pops, state, plasticity, work):
    """Append the cells of population ``p`` that fire now to the spike lists."""
    threshold, wait = pops[p].threshold, pops[p].refractory
    for j in range(pops[p].start, pops[p].stop):
        if (
            state.v[j] > threshold + plasticity.theta[j] * scale
            and now - state.last_spike[j] >= wait
        ):
            work.spike_cells[n_spikes] = j
            work.spike_steps[n_spikes] = step
            n_spikes += 1
    return n_spikes


@kernel
def _reset_fired(p, now, adapt, pops, state, plasticity, work):
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
def _list_reaching(c, now, conns, state, work, neuron_of_cell):
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


@kernel
def _at_peace(step, arrivals, carry, conns, pops, state, plasticity, work):
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
            g_e, g_i = state.g_e[j] + state.arrived[j], state.g_i[j]
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
def _finish(left, adapts, carry, pops, state, plasticity, work):
    """Close the last ``left`` steps of a clip in closed form and store what learning changed."""
    for p in range(pops.size):
        first, last = pops[p].start, pops[p].stop
        if carry and left > 0:
            fade = pops[p].silent_decay ** left
            for j in range(first, last):
                state.v[j] = pops[p].rest + (state.v[j] - pops[p].rest) * fade
                state.g_e[j] = state.g_i[j] = 0.0
                state.arrived[j] = 0.0
        if adapts[p]:
            scale = work.theta_scale[p] * pops[p].theta_decay ** left
            for j in range(first, last):
                plasticity.theta[j] *= scale
        for j in range(first, last):
            if not abs(state.v[j]) < 1e6:
                return NOT_FINITE, p
    return FINE, -1


@kernel
def run_clip(
    clock,
    stimulus_steps,
    integrator,
    carry,
    runaway_share,
    runaway_steps,
    learns,
    adapts,
    arrivals,
    arriving,
    pops,
    conns,
    state,
    plasticity,
    work,
    neuron_of_cell,
    watch,
):
    """Run one clip; return its number of spikes, how it ended, and the population concerned.

    Parameters
    ----------
    clock : int, step of the network's own clock at which the clip begins
    stimulus_steps : int; afterwards the clip may be closed early
    integrator : int, see ``membranes``
    carry : bool, whether state runs on from the clip before
    runaway_share : float, 0 for no check; ``runaway_steps`` : int, length of one check
    learns : uint8 [shape=(connections,)], whether the weights of a connection change
    adapts : uint8 [shape=(populations,)], whether thresholds change
    arrivals : int64 [shape=(connections, steps + 1)], where the input spikes of each step begin
    arriving : int32, source neurons of input spikes
    """
    _prepare(clock, not carry, learns, pops, conns, state, plasticity, work)
    steps = arrivals.shape[1] - 1
    populations = pops.size
    n_spikes = 0
    work.in_window[:] = 0
    for step in range(steps):
        now = clock + step
        for p in range(populations):
            a, b = pops[p].start, pops[p].stop
            if adapts[p]:
                work.theta_scale[p] *= pops[p].theta_decay
                if work.theta_scale[p] < 1e-100:  # long before it could reach zero
                    for j in range(a, b):
                        plasticity.theta[j] *= work.theta_scale[p]
                    work.theta_scale[p] = 1.0
            scale = work.theta_scale[p]
            above = advance_membranes(p, pops, state, plasticity.theta[a:b], scale, integrator)
            _hold_refractory(p, now, pops, state, work)
            work.spike_from[p] = n_spikes
            if above > 0:
                n_spikes = _list_spikes(
                    p, now, step, scale, n_spikes, pops, state, plasticity, work
                )
            work.spike_to[p] = n_spikes
            if pops[p].group > 0:
                work.i_fired[p] = advance_partners(p, now, pops, state, work, integrator)
        for c in range(conns.each.size):
            if conns.each[c].source < 0:
                reaching = arriving[arrivals[c, step] : arrivals[c, step + 1]]
            else:
                count = _list_reaching(c, now, conns, state, work, neuron_of_cell)
                reaching = work.fired[:count]
            if learns[c] and conns.each[c].depression > 0.0:
                age_drops(c, now, conns, state, work)
            if reaching.size > 0:
                deliver(c, reaching, now, learns[c] == 1, conns, state, plasticity, work)
        for p in range(populations):
            if pops[p].group > 0:
                excite_partners(p, now, pops, state, work)
                inhibit_rivals(p, work.i_fired[p], pops, state, work)
        for c in range(conns.each.size):
            if learns[c]:
                p = conns.each[c].target
                for k in range(work.spike_from[p], work.spike_to[p]):
                    reward(c, work.spike_cells[k], now, conns, state, plasticity, work)
        for p in range(populations):
            _reset_fired(p, now, adapts[p], pops, state, plasticity, work)
            work.in_window[p] += work.spike_to[p] - work.spike_from[p]
        for k in range(watch.cells.size):
            j = watch.cells[k]
            watch.v[step, k] = state.v[j]
            watch.g_e[step, k] = state.g_e[j] + state.arrived[j]
            watch.g_i[step, k] = state.g_i[j]
        if runaway_share > 0.0 and (step + 1) % runaway_steps == 0:
            for p in range(populations):
                most = runaway_steps * pops[p].neurons / max(pops[p].refractory, 1)
                if work.in_window[p] > runaway_share * most:
                    return n_spikes, RUNAWAY, p
                work.in_window[p] = 0
        if (
            step >= stimulus_steps
            and step % 4 == 0
            and watch.cells.size == 0
            and _at_peace(step, arrivals, carry, conns, pops, state, plasticity, work)
        ):
            left = steps - 1 - step
            end, p = _finish(left, adapts, carry, pops, state, plasticity, work)
            return n_spikes, end, p
    end, p = _finish(0, adapts, carry, pops, state, plasticity, work)
    return n_spikes, end, p
