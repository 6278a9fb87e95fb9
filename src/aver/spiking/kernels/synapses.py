"""Delivery of spikes over a connection, and the changes of its weights (STDP)."""

from __future__ import annotations

import numpy as np

from aver.spiking.kernels.compile import add_row, allocating_kernel, inner_loop, kernel, prefetch

AHEAD = 8
"""How many spikes ahead their weights are fetched; they lie anywhere in memory."""


@kernel
def _add_and_depress_all(g_e, weights, drop):
    for j in range(weights.size):
        w = weights[j]
        g_e[j] += w
        w -= drop[j]
        weights[j] = w if w > np.float32(0) else np.float32(0)


@kernel
def _depress_some(weights, drop, columns, power):
    for k in range(columns.size):
        j = columns[k]
        w = weights[j]
        w -= drop[j] if power == 0.0 else np.float32(drop[j] * w**power)
        weights[j] = max(w, np.float32(0))


@inner_loop
def _fade(drop, factor):
    for j in range(drop.size):
        drop[j] *= factor


@kernel
def age_drops(c, now, conns, state, work):
    """Decay the depression per arriving spike by a step; drop spikes that are too old."""
    link = conns.each[c]
    row = link.row
    table = conns.post_table[link.at_ages : link.at_ages + link.ages]
    for block in range(link.blocks):
        slot = link.at_blocks + block
        count = work.recent_count[slot]
        if count == 0:
            continue
        base, cell = link.at_cells + block * row, link.first_cell + block * row
        if 8 * count > row and now % 32 != 0:
            _fade(work.drop[base : base + row], np.float32(table[1]))
            continue
        kept = 0
        for k in range(count):
            j = work.recent[base + k]
            age = now - state.last_spike[cell + j]
            if age < link.horizon:
                work.drop[base + j] = link.depression * table[age]
                work.recent[base + kept] = j
                kept += 1
            else:
                work.drop[base + j] = 0.0
                work.recent_flag[base + j] = 0
        work.recent_count[slot] = kept


@kernel
def _fetch_ahead(k, neurons, first_segment, segments, row, weights):
    """Prefetch the beginning of a coming row; the processor prefetches the rest by itself."""
    if k + AHEAD < neurons.size:
        coming = min(first_segment[neurons[k + AHEAD]], segments.size - 1)
        for j in range(0, min(row, 64), 16):
            prefetch(weights, segments[coming] * row + j)  # type: ignore[call-arg]


@inner_loop
def _add_rows(neurons, first_segment, segments, blocks, row, weights, g_e):
    for k in range(neurons.size):
        _fetch_ahead(k, neurons, first_segment, segments, row, weights)
        i = neurons[k]
        for s in range(first_segment[i], first_segment[i + 1]):
            add_row(g_e, blocks[s] * row, weights, segments[s] * row, row)  # type: ignore[call-arg]


@inner_loop
def _add_and_depress_rows(
    neurons, first_segment, segments, blocks, row, weights, g_e, recent, counts, drop, power
):
    for k in range(neurons.size):
        _fetch_ahead(k, neurons, first_segment, segments, row, weights)
        i = neurons[k]
        for s in range(first_segment[i], first_segment[i + 1]):
            at, to = segments[s] * row, blocks[s] * row
            count = counts[blocks[s]]
            if count == 0:
                add_row(g_e, to, weights, at, row)  # type: ignore[call-arg]
            elif power == 0.0 and 8 * count > row:
                _add_and_depress_all(
                    g_e[to : to + row], weights[at : at + row], drop[to : to + row]
                )
            else:
                add_row(g_e, to, weights, at, row)  # type: ignore[call-arg]
                _depress_some(
                    weights[at : at + row], drop[to : to + row], recent[to : to + count], power
                )


@kernel
def deliver(c, neurons, now, learns, conns, state, plasticity, work):
    """Deliver spikes of source ``neurons`` over connection ``c``; they depress its weights."""
    link = conns.each[c]
    row, cells = link.row, link.blocks * link.row
    starts = link.at_sources + c  # each connection has one boundary more than sources
    first_segment = conns.first_segment[starts : starts + link.sources + 1]
    inputs = slice(link.at_inputs, link.at_inputs + link.blocks * link.fan_in)
    segments, blocks = conns.segments[inputs], conns.segment_blocks[inputs]
    weights = plasticity.weights[link.at_weights : link.at_weights + link.fan_in * cells]
    g_e = state.g_e[link.first_cell : link.first_cell + cells]
    if not learns:
        _add_rows(neurons, first_segment, segments, blocks, row, weights, g_e)
        return
    last_arrival = state.last_arrival[link.at_sources : link.at_sources + link.sources]
    for i in neurons:
        last_arrival[i] = now
    counts = work.recent_count[link.at_blocks : link.at_blocks + link.blocks]
    recent = work.recent[link.at_cells : link.at_cells + cells]
    drop = work.drop[link.at_cells : link.at_cells + cells]
    _add_and_depress_rows(
        neurons,
        first_segment,
        segments,
        blocks,
        row,
        weights,
        g_e,
        recent,
        counts,
        drop,
        link.power,
    )


@inner_loop
def _reward_column(inputs, last_arrival, now, table, gain, target, power, highest, weights, row):
    for m in range(inputs.size):
        age = min(now - last_arrival[inputs[m]], table.size - 1)
        change = gain * (table[age] - target)
        old = weights[m * row]
        if power != 0.0:
            change *= max(highest - old, 0.0) ** power
        weights[m * row] = min(max(old + change, 0.0), highest)


@kernel
def reward(c, cell, now, conns, state, plasticity, work):
    """Apply the post-synaptic part of the rule to the weights onto ``cell``, which fires now."""
    link = conns.each[c]
    row, fan_in = link.row, link.fan_in
    local = cell - link.first_cell
    block, column = local // row, local % row
    ages = slice(link.at_ages, link.at_ages + link.ages)
    gain = link.potentiation
    if link.triplet:
        gain *= conns.post2_table[ages][min(now - state.last_spike[cell], link.ages - 1)]
    at = link.at_cells + local
    if gain != 0.0:  # zero at a first spike under the triplet rule
        first = link.at_weights + block * fan_in * row + column
        inputs = link.at_inputs + block * fan_in
        _reward_column(
            conns.inputs[inputs : inputs + fan_in],
            state.last_arrival[link.at_sources : link.at_sources + link.sources],
            now,
            conns.pre_table[ages],
            gain,
            link.target_trace,
            link.power,
            link.highest,
            plasticity.weights[first:],
            row,
        )
    plasticity.touched[at] = 1
    if link.depression == 0.0:
        return
    work.drop[at] = link.depression
    if work.recent_flag[at] == 0:
        slot = link.at_blocks + block
        work.recent[link.at_cells + block * row + work.recent_count[slot]] = column
        work.recent_count[slot] += 1
        work.recent_flag[at] = 1


@kernel
def remember_recent(now, learns, conns, state, plasticity, work):
    """List the cells that fired recently enough to depress weights (after a clip or a load)."""
    work.recent_count[:] = 0
    work.recent_flag[:] = 0
    work.drop[:] = 0.0
    for c in range(conns.each.size):
        if learns[c] == 0 or conns.each[c].depression == 0.0:
            continue
        link = conns.each[c]
        row = link.row
        for local in range(link.blocks * row):
            age = now - state.last_spike[link.first_cell + local]
            if age < link.horizon:
                at, slot = link.at_cells + local, link.at_blocks + local // row
                work.drop[at] = link.depression * conns.post_table[link.at_ages + age - 1]
                work.recent[at - local % row + work.recent_count[slot]] = local % row
                work.recent_count[slot] += 1
                work.recent_flag[at] = 1
                plasticity.touched[at] = 1


@allocating_kernel
def normalize(learns, conns, plasticity):
    """Normalize the weights that changed since the last time, in all connections that learn."""
    for c in range(conns.each.size):
        if learns[c] and conns.each[c].normal_sum > 0.0:
            _normalize_one(c, conns, plasticity)


@allocating_kernel
def _normalize_one(c, conns, plasticity):
    """Scale the weights onto every changed cell to add up to ``normal_sum``, up to their bound."""
    row, fan_in, highest = conns.each[c].row, conns.each[c].fan_in, conns.each[c].highest
    factor = np.empty(row)
    for block in range(conns.each[c].blocks):
        c0 = conns.each[c].at_cells + block * row
        touched = plasticity.touched[c0 : c0 + row]
        w0 = conns.each[c].at_weights + block * fan_in * row
        weights = plasticity.weights[w0 : w0 + fan_in * row].reshape((fan_in, row))
        changed = np.flatnonzero(touched)
        if 8 * changed.size > row:
            factor[:] = 0.0
            for m in range(fan_in):
                for j in range(row):
                    factor[j] += weights[m, j]
            for j in range(row):
                wanted = touched[j] == 1 and factor[j] > 0.0
                factor[j] = conns.each[c].normal_sum / factor[j] if wanted else 1.0
                touched[j] = 0
            for m in range(fan_in):
                for j in range(row):
                    weights[m, j] = min(weights[m, j] * factor[j], highest)
                    # With a weight at its bound the sum is too small: normalize again next time.
                    touched[j] |= weights[m, j] >= highest
        else:
            for j in changed:
                total = 0.0
                for m in range(fan_in):
                    total += weights[m, j]
                touched[j] = 0
                if total > 0.0:
                    for m in range(fan_in):
                        scaled = weights[m, j] * conns.each[c].normal_sum / total
                        weights[m, j] = min(scaled, highest)
                        touched[j] |= weights[m, j] >= highest
