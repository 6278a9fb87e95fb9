"""The inhibitory partners: integrated only while they have conductance."""

from __future__ import annotations

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.membranes import advance_one

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
            # Asleep since i_updated: the membrane has decayed towards rest in closed form.
            slept = now - state.i_updated[j]
            rest = pops[p].i_rest
            state.i_v[j] = rest + (state.i_v[j] - rest) * pops[p].i_silent_decay ** slept
            state.i_active[j] = 1
            work.active_cells[first + work.active_count[p]] = j
            work.active_count[p] += 1
        state.i_g_e[j] += pops[p].to_inhibitory


@kernel
def inhibit_rivals(p, fired, pops, state, work):
    """Let the partners that fire inhibit their group, but for the neuron they belong to."""
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
