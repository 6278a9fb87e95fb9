"""One step of the excitatory membranes, by three integrators; all are vectorised loops.

``dv/dt = (rest - v + g_e (E_e - v) + g_i (E_i - v)) / tau`` with conductances held for the step.
"""

from __future__ import annotations

import math

import numpy as np

from aver.spiking.kernels.compile import fused_kernel

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
