"""Spikes on their way over a connection, and what they do to its weights."""

from __future__ import annotations

import numpy as np

from aver.spiking.kernels.compile import kernel
from aver.spiking.kernels.prefetch import prefetch

AHEAD = 6
"""How many spikes ahead their weights are fetched."""


@kernel
def _fetch(weights, at, row):
    """Ask for the beginning of a row; the processor itself fetches on along longer ones."""
    for j in range(0, min(row, 64), 16):
        prefetch(weights, at + j)  # type: ignore[call-arg]


@kernel
def _add(arrived, weights):
    for j in range(weights.size):
        arrived[j] += weights[j]


@kernel
def _add_and_depress_all(arrived, weights, drop):
    for j in range(weights.size):
        w = weights[j]
        arrived[j] += w
        w -= drop[j]
        weights[j] = w if w > np.float32(0) else np.float32(0)


@kernel
def _depress_some(weights, drop, columns, power):
    for k in range(columns.size):
        j = columns[k]
        w = weights[j]
        w -= drop[j] if power == 0.0 else np.float32(drop[j] * w**power)
        weights[j] = max(w, np.float32(0))


@kernel
def _refresh_drop(c, block, now, conns, state, work):
    """Bring the depression per arriving spike up to date; forget spikes too old to matter."""
    row = conns.each[c].row
    base = conns.each[c].at_cells + block * row
    cell = conns.each[c].first_cell + block * row
    slot = conns.each[c].at_blocks + block
    kept = 0
    for k in range(work.recent_count[slot]):
        j = work.recent[base + k]
        age = now - state.last_spike[cell + j]
        if age < conns.each[c].horizon:
            trace = conns.post_table[conns.each[c].at_ages + age]
            work.drop[base + j] = conns.each[c].depression * trace
            work.recent[base + kept] = j
            kept += 1
        else:
            work.drop[base + j] = 0.0
            work.recent_flag[base + j] = 0
    work.recent_count[slot] = kept
    work.recent_step[slot] = now


@kernel
def deliver(c, neurons, conns, state, plasticity):
    """Let spikes of source ``neurons`` arrive over connection ``c``, whose weights are frozen."""
    link = conns.each[c]
    row, cells, w0 = link.row, link.first_cell, link.at_weights
    starts = link.at_sources + c  # each connection has one boundary more than sources
    first_segment = conns.first_segment[starts : starts + link.sources + 1]
    segments, blocks = conns.segments[link.at_inputs :], conns.segment_blocks[link.at_inputs :]
    for k in range(neurons.size):
        if k + AHEAD < neurons.size:
            s = first_segment[neurons[k + AHEAD]]
            _fetch(plasticity.weights, w0 + segments[min(s, segments.size - 1)] * row, row)
        i = neurons[k]
        for s in range(first_segment[i], first_segment[i + 1]):
            at, to = w0 + segments[s] * row, cells + blocks[s] * row
            _add(state.arrived[to : to + row], plasticity.weights[at : at + row])


@kernel
def deliver_and_depress(c, neurons, now, conns, state, plasticity, work):
    """Let spikes arrive over connection ``c``, which learns: they weaken its weights."""
    link = conns.each[c]
    row, cells, w0, power = link.row, link.first_cell, link.at_weights, link.power
    columns, slots, at_sources = link.at_cells, link.at_blocks, link.at_sources
    starts = at_sources + c
    first_segment = conns.first_segment[starts : starts + link.sources + 1]
    segments, blocks = conns.segments[link.at_inputs :], conns.segment_blocks[link.at_inputs :]
    for k in range(neurons.size):
        if k + AHEAD < neurons.size:
            s = first_segment[neurons[k + AHEAD]]
            _fetch(plasticity.weights, w0 + segments[min(s, segments.size - 1)] * row, row)
        i = neurons[k]
        state.last_arrival[at_sources + i] = now
        for s in range(first_segment[i], first_segment[i + 1]):
            block = blocks[s]
            at, to = w0 + segments[s] * row, cells + block * row
            arrived, weights = state.arrived[to : to + row], plasticity.weights[at : at + row]
            if work.recent_count[slots + block] > 0 and work.recent_step[slots + block] != now:
                _refresh_drop(c, block, now, conns, state, work)
            recent = work.recent_count[slots + block]
            if recent == 0:
                _add(arrived, weights)
                continue
            d0 = columns + block * row
            drop = work.drop[d0 : d0 + row]
            if power == 0.0 and 8 * recent > row:
                _add_and_depress_all(arrived, weights, drop)
            else:
                _add(arrived, weights)
                _depress_some(weights, drop, work.recent[d0 : d0 + recent], power)


@kernel
def reward(c, cell, now, conns, state, plasticity, work):
    """Change the weights onto ``cell``, which fires now, by the post-synaptic part of the rule."""
    row, fan_in = conns.each[c].row, conns.each[c].fan_in
    local = cell - conns.each[c].first_cell
    block, column = local // row, local % row
    ages, table = conns.each[c].ages, conns.each[c].at_ages
    gain = conns.each[c].potentiation
    if conns.each[c].triplet:
        gain *= conns.post2_table[table + min(now - state.last_spike[cell], ages - 1)]
    target, power, highest = conns.each[c].target_trace, conns.each[c].power, conns.each[c].highest
    w = conns.each[c].at_weights + block * fan_in * row + column
    inputs = conns.each[c].at_inputs + block * fan_in
    for m in range(fan_in):
        source = conns.inputs[inputs + m]
        age = min(now - state.last_arrival[conns.each[c].at_sources + source], ages - 1)
        change = gain * (conns.pre_table[table + age] - target)
        if change != 0.0:
            old = plasticity.weights[w + m * row]
            if power != 0.0:
                change *= max(highest - old, 0.0) ** power
            plasticity.weights[w + m * row] = min(max(old + change, 0.0), highest)
    at = conns.each[c].at_cells + local
    plasticity.touched[at] = 1
    if conns.each[c].depression > 0.0 and work.recent_flag[at] == 0:
        slot = conns.each[c].at_blocks + block
        work.recent[conns.each[c].at_cells + block * row + work.recent_count[slot]] = column
        work.recent_count[slot] += 1
        work.recent_flag[at] = 1
        work.recent_step[slot] = now - 1


@kernel
def remember_recent(now, learns, conns, state, plasticity, work):
    """List anew which cells fired lately enough to depress weights (after a clip or a load)."""
    work.recent_count[:] = 0
    work.recent_flag[:] = 0
    work.recent_step[:] = now - 1
    work.drop[:] = 0.0
    for c in range(conns.each.size):
        if learns[c] == 0 or conns.each[c].depression == 0.0:
            continue
        row = conns.each[c].row
        for local in range(conns.each[c].blocks * row):
            if now - state.last_spike[conns.each[c].first_cell + local] < conns.each[c].horizon:
                at = conns.each[c].at_cells + local
                slot = conns.each[c].at_blocks + local // row
                work.recent[at - local % row + work.recent_count[slot]] = local % row
                work.recent_count[slot] += 1
                work.recent_flag[at] = 1
                plasticity.touched[at] = 1
