"""Independent networks side by side: modalities, folds, seeds."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from aver.errors import SettingsError

T = TypeVar("T")


def run_independent(runs: Sequence[Callable[[], T]], threads: int | None = None) -> list[T]:
    """Call each run in a thread of its own; results come in the order of the runs.

    The kernels release Python's lock, so that threads share the cores. Two runs must not touch
    the same network.

    Parameters
    ----------
    runs : sequence of callables without arguments
    threads : int >= 1, or None for all cores

    Examples
    --------
    >>> run_independent([lambda: "audio", lambda: "visual"])
    ['audio', 'visual']
    """
    if threads is not None and threads < 1:
        raise SettingsError(f"Runs need at least one thread, not {threads}.")
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        return [future.result() for future in [pool.submit(run) for run in runs]]
