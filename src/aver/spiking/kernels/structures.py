"""Arrays of the kernels: constants of a network, its state, and the workspace of a thread.

All populations are concatenated in flat arrays of *cells*: position by position, and within a
position feature by feature, padded with silent cells to a multiple of 16, so that a position's
weights fill whole vector registers. A cell is an excitatory neuron and its inhibitory partner.
Connections are divided into *blocks*: the cells of a block have the same inputs (one window
position; for all-to-all links the whole population is one block). The weights of a block have the
shape `(fan_in, row)`; a row has one weight per cell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

POPULATION = np.dtype(
    [
        ("start", np.int64),  # first cell
        ("stop", np.int64),  # one past the last cell
        ("neurons", np.int64),  # number of cells that are no padding
        ("group", np.int64),  # cells that inhibit each other; 0: none
        ("refractory", np.int64),  # steps
        ("leak", np.float64),  # dt / tau of the membrane
        ("rest", np.float64),
        ("reset", np.float64),
        ("threshold", np.float64),  # with the homeostatic offset
        ("initial", np.float64),
        ("excitatory_reversal", np.float64),
        ("inhibitory_reversal", np.float64),
        ("excitatory_decay", np.float64),  # factor per step of g_e
        ("inhibitory_decay", np.float64),  # factor per step of g_i
        ("silent_decay", np.float64),  # factor per step of v - rest without conductances
        ("theta_step", np.float64),
        ("theta_decay", np.float64),  # factor per step
        ("i_refractory", np.int64),  # the same of the inhibitory partners
        ("i_leak", np.float64),
        ("i_rest", np.float64),
        ("i_reset", np.float64),
        ("i_threshold", np.float64),
        ("i_initial", np.float64),
        ("i_excitatory_reversal", np.float64),
        ("i_excitatory_decay", np.float64),
        ("i_silent_decay", np.float64),
        ("to_inhibitory", np.float64),
        ("to_excitatory", np.float64),
    ]
)
"""Constants of a population."""

CONNECTION = np.dtype(
    [
        ("source", np.int64),  # population that feeds it, or -1: external input
        ("target", np.int64),
        ("first_cell", np.int64),  # first target cell
        ("sources", np.int64),  # number of source neurons
        ("blocks", np.int64),
        ("fan_in", np.int64),
        ("row", np.int64),
        ("depression", np.float64),
        ("potentiation", np.float64),
        ("target_trace", np.float64),
        ("power", np.float64),
        ("highest", np.float64),
        ("triplet", np.int64),
        ("normal_sum", np.float64),  # sum of a cell's weights after normalization; 0: none
        ("horizon", np.int64),  # steps after which a post-synaptic trace depresses no more
        ("ages", np.int64),  # length of the trace tables
        ("ring", np.int64),  # slots of the delay line; 0: no delays between populations
        ("at_weights", np.int64),  # begin of this connection in the flat arrays
        ("at_inputs", np.int64),
        ("at_sources", np.int64),
        ("at_cells", np.int64),
        ("at_blocks", np.int64),
        ("at_ages", np.int64),
        ("at_ring", np.int64),
        ("at_slots", np.int64),
    ]
)
"""Constants of a connection."""


class Connections(NamedTuple):
    """Constants of all connections, and the flat arrays into which they point."""

    each: np.ndarray  # CONNECTION, one per connection
    inputs: np.ndarray  # source neuron of each weight row (block by block)
    first_segment: np.ndarray  # (sources + 1) begin of the segments of a source
    segments: np.ndarray  # weight rows that leave a source
    segment_blocks: np.ndarray  # and the blocks they belong to
    delays: np.ndarray  # (sources) steps
    pre_table: np.ndarray  # (ages) trace by age in steps
    post_table: np.ndarray
    post2_table: np.ndarray


class State(NamedTuple):
    """What changes while a network runs. Arrays are over cells unless noted."""

    v: np.ndarray
    g_e: np.ndarray  # float32, as the weights that add up to it
    g_i: np.ndarray
    last_spike: np.ndarray  # step on the network's own clock
    i_v: np.ndarray
    i_g_e: np.ndarray
    i_updated: np.ndarray  # step up to which i_v is computed
    i_last_spike: np.ndarray
    i_active: np.ndarray  # 1: has conductance, is integrated step by step
    last_arrival: np.ndarray  # over the sources of all connections
    ring: np.ndarray  # delay lines: source neurons by slot
    ring_filled: np.ndarray  # neurons in each slot


class Plasticity(NamedTuple):
    """What learning changes, shared by all threads when frozen."""

    weights: np.ndarray  # float32, flat over connections
    theta: np.ndarray  # over cells, mV; infinite for padding
    touched: np.ndarray  # over blocks * row of all connections: changed since normalization


class Workspace(NamedTuple):
    """Lists that one thread needs while it runs a clip."""

    risen: np.ndarray  # first cells of blocks in which a cell lies above threshold
    spike_cells: np.ndarray  # every spike of the clip, in order
    spike_steps: np.ndarray
    spike_from: np.ndarray  # over populations: this step's spikes in the lists above
    spike_to: np.ndarray
    refractory_cells: np.ndarray  # over cells: a ring per population
    refractory_first: np.ndarray  # over populations
    refractory_count: np.ndarray
    active_cells: np.ndarray  # over cells: inhibitory partners that are integrated
    active_count: np.ndarray  # over populations
    i_spikes: np.ndarray  # over cells: partners that fire in this step
    i_fired: np.ndarray  # over populations: how many
    fired: np.ndarray  # neurons of a population that fire in this step
    in_window: np.ndarray  # over populations: spikes since the last check for a runaway
    group_input: np.ndarray  # over cells: conductance for a group, at its first cell
    recent: np.ndarray  # over at_cells: columns of a block with a recent post-synaptic spike
    recent_flag: np.ndarray
    recent_count: np.ndarray  # over blocks
    drop: np.ndarray  # over at_cells, float32: depression per arriving spike
    theta_scale: np.ndarray  # over populations: theta = stored value * scale


class Watch(NamedTuple):
    """Cells whose potential and conductances are written down at the end of each step."""

    cells: np.ndarray
    v: np.ndarray  # (steps, cells)
    g_e: np.ndarray
    g_i: np.ndarray
