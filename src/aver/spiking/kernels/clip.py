"""The loop over the steps of one clip.

Order within a step, as in Brian2's default schedule: membranes, thresholds, arriving spikes
(with depression), inhibition, learning at post-synaptic spikes, resets.
"""

from __future__ import annotations

import math

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.neurons import (
    NEGLIGIBLE,
    advance_membranes,
    advance_partners,
    excite_partners,
    hold_refractory,
    inhibit_rivals,
    list_reaching,
    list_spikes,
    reset_fired,
)
from aver.spiking.kernels.synapses import age_drops, deliver, remember_recent, reward

LONG_AGO = -(1 << 40)
"""A step before any clock started; every trace of it has vanished."""

FINE, RUNAWAY, NOT_FINITE = 0, 1, 2
"""How a clip ended."""


@kernel
def prepare(clock, reset, learns, pops, conns, state, plasticity, work):
    """Reset the state, or continue from the last clip, and fill the lists of the workspace."""
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

    This holds if no more spikes arrive and every conductance is too weak to lift its membrane to
    the lowest threshold still to come. If state is carried over, all conductances must have
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
    """Compute the last ``left`` steps of a clip in closed form; store the thresholds."""
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


@kernel
def _fade_thresholds(p, pops, plasticity, work):
    """Decay adaptive thresholds by a step: by one factor for all, until it becomes tiny."""
    work.theta_scale[p] *= pops[p].theta_decay
    if work.theta_scale[p] < 1e-100:  # long before it could reach zero
        for j in range(pops[p].start, pops[p].stop):
            plasticity.theta[j] *= work.theta_scale[p]
        work.theta_scale[p] = 1.0


@kernel
def _advance(p, now, step, n_spikes, integrator, adapts, pops, state, plasticity, work):
    """Membranes and thresholds of population ``p``; return the number of spikes so far."""
    if adapts:
        _fade_thresholds(p, pops, plasticity, work)
    scale = work.theta_scale[p]
    risen = advance_membranes(p, pops, state, plasticity.theta, scale, work, integrator)
    hold_refractory(p, now, pops, state, work)
    work.spike_from[p] = n_spikes
    n_spikes = list_spikes(p, now, step, scale, risen, n_spikes, pops, state, plasticity, work)
    work.spike_to[p] = n_spikes
    if pops[p].group > 0:
        work.i_fired[p] = advance_partners(p, now, pops, state, work, integrator)
    return n_spikes


@kernel
def _arrive(
    c, now, step, learns, arrivals, arriving, conns, state, plasticity, work, neuron_of_cell
):
    """Spikes that reach their targets over connection ``c`` in this step."""
    if conns.each[c].source < 0:
        reaching = arriving[arrivals[c, step] : arrivals[c, step + 1]]
    else:
        count = list_reaching(c, now, conns, state, work, neuron_of_cell)
        reaching = work.fired[:count]
    if learns and conns.each[c].depression > 0.0:
        age_drops(c, now, conns, state, work)
    if reaching.size > 0:
        deliver(c, reaching, now, learns, conns, state, plasticity, work)


@kernel
def _learn(c, now, conns, state, plasticity, work):
    """Strengthen the weights of connection ``c`` onto the cells that fire now."""
    p = conns.each[c].target
    for k in range(work.spike_from[p], work.spike_to[p]):
        reward(c, work.spike_cells[k], now, conns, state, plasticity, work)


@kernel
def _write_down(step, state, watch):
    for k in range(watch.cells.size):
        j = watch.cells[k]
        watch.v[step, k] = state.v[j]
        watch.g_e[step, k] = state.g_e[j]
        watch.g_i[step, k] = state.g_i[j]


@kernel
def _running_away(share, steps, pops, work):
    """The population that fired more than ``share`` of its maximum in ``steps`` steps, or -1."""
    for p in range(pops.size):
        most = steps * pops[p].neurons / max(pops[p].refractory, 1)
        if work.in_window[p] > share * most:
            return p
        work.in_window[p] = 0
    return -1


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
    stimulus_steps : int; after them the clip may end early
    integrator : int, see ``membranes``
    carry : bool, whether the state continues from the clip before
    runaway_share : float, 0 for no check; ``runaway_steps`` : int, length of one check
    learns : uint8 [shape=(connections,)], whether the weights of a connection change
    adapts : uint8 [shape=(populations,)], whether thresholds change
    arrivals : int64 [shape=(connections, steps + 1)], begin of the input spikes of each step
    arriving : int32, source neurons of input spikes
    """
    prepare(clock, not carry, learns, pops, conns, state, plasticity, work)
    steps = arrivals.shape[1] - 1
    left = n_spikes = 0
    work.in_window[:] = 0
    for step in range(steps):
        now = clock + step
        for p in range(pops.size):
            n_spikes = _advance(
                p, now, step, n_spikes, integrator, adapts[p], pops, state, plasticity, work
            )
        for c in range(conns.each.size):
            _arrive(
                c,
                now,
                step,
                learns[c] == 1,
                arrivals,
                arriving,
                conns,
                state,
                plasticity,
                work,
                neuron_of_cell,
            )
        for p in range(pops.size):
            if pops[p].group > 0:
                excite_partners(p, now, pops, state, work)
                inhibit_rivals(p, work.i_fired[p], pops, state, work)
        for c in range(conns.each.size):
            if learns[c]:
                _learn(c, now, conns, state, plasticity, work)
        for p in range(pops.size):
            reset_fired(p, now, adapts[p], pops, state, plasticity, work)
            work.in_window[p] += work.spike_to[p] - work.spike_from[p]
        _write_down(step, state, watch)
        if runaway_share > 0.0 and (step + 1) % runaway_steps == 0:
            p = _running_away(runaway_share, runaway_steps, pops, work)
            if p >= 0:
                return n_spikes, RUNAWAY, p
        quiet = step >= stimulus_steps and step % 4 == 0 and watch.cells.size == 0
        if quiet and at_peace(step, arrivals, carry, conns, pops, state, plasticity, work):
            left = steps - 1 - step
            break
    end, p = finish(left, adapts, carry, pops, state, plasticity, work)
    return n_spikes, end, p
