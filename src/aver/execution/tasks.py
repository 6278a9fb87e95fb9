"""Many independent tasks, in this process or in several, with one outcome each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, TypeVar

from aver.errors import AverError, WorkerError
from aver.execution.progress import progress_bar

Item = TypeVar("Item")
Value = TypeVar("Value")

_THREAD_COUNTS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    "OPENCV_FOR_THREADS_NUM",
)
"""What libraries read when they are loaded; set in worker processes only."""
_QUEUED_PER_WORKER = 4  # enough to keep workers busy, few enough that Ctrl-C is answered soon


@dataclass(frozen=True)
class Outcome(Generic[Item, Value]):
    """What became of one item: a value, or the error that it raised."""

    item: Item
    value: Value | None
    error: AverError | None = None


def _attempt(function: Callable[[Item], Value], item: Item) -> Outcome[Item, Value]:
    try:
        return Outcome(item, function(item))
    except AverError as error:
        return Outcome(item, None, error)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and keep libraries from multiplying threads.

    A worker that Ctrl-C interrupts would print a traceback of its own; so it finishes its task
    (and the file that it is writing) while the parent drops the others.
    """
    import sys

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for variable in _THREAD_COUNTS:
        os.environ[variable] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_tasks(
    function: Callable[[Item], Value],
    items: Sequence[Item],
    *,
    workers: int = 1,
    description: str = "",
    weight: Callable[[Item], float] | None = None,
) -> Generator[Outcome[Item, Value], None, None]:
    """Apply `function` to every item and yield outcomes in the order of the items.

    Parameters
    ----------
    function : callable
        Takes one item. With several workers it must be importable (no lambda) and items and values
        must be picklable. An `AverError` becomes that item's outcome; anything else is a fault of
        ours and propagates.
    items : sequence
    workers : int >= 1
        Processes. 1 stays in this process. Results do not depend on it.
    description : str
        Words in front of the progress bar; empty for no bar.
    weight : callable, optional
        Work per item in any unit (seconds of video, say), so that the time left is right when items
        differ in size.

    Yields
    ------
    Outcome

    Raises
    ------
    WorkerError
        If a worker process was killed or could not start.
    """
    weigh = weight or (lambda item: 1.0)
    total = sum(weigh(item) for item in items) if description else 0.0
    with progress_bar(description, total) as bar:
        if workers <= 1 or len(items) <= 1:
            for item in items:
                outcome = _attempt(function, item)
                bar.advance(weigh(item))
                yield outcome
            return
        done: dict[int, Outcome[Item, Value]] = {}
        running: dict[Future[Outcome[Item, Value]], int] = {}
        following, answered = 0, 0
        # Spawned, not forked: libraries with threads of their own do not survive a fork.
        pool = ProcessPoolExecutor(
            min(workers, len(items)),
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare_worker,
        )
        try:
            while answered < len(items):
                while following < len(items) and len(running) < workers * _QUEUED_PER_WORKER:
                    running[pool.submit(_attempt, function, items[following])] = following
                    following += 1
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    index = running.pop(future)
                    done[index] = future.result()
                    bar.advance(weigh(items[index]))
                while answered in done:
                    yield done.pop(answered)
                    answered += 1
        except BrokenProcessPool:
            raise WorkerError(
                f"A worker process ended before its task did, after {answered} of {len(items)}. "
                "If memory ran out, use fewer workers. In a script of your own, the calls must "
                "stand below if __name__ == '__main__':, or use one worker."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
