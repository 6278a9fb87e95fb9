"""Weight normalisation: the weights onto a neuron keep their sum."""

from __future__ import annotations

import numpy as np

from aver.spiking.kernels.compile import allocating_kernel


@allocating_kernel
def normalise(learns, conns, plasticity):
    """Normalise all connections that learn, where their weights changed since the last time."""
    for c in range(conns.each.size):
        if learns[c] and conns.each[c].normal_sum > 0.0:
            _normalise_one(c, conns, plasticity)


@allocating_kernel
def _normalise_one(c, conns, plasticity):
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
                    # A weight at its bound leaves the sum short: try again the next time.
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
