"""Many independent tasks, in this process or in several, with one outcome each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import FrameType
from typing import Any, Generic, TypeVar

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
_GRACE_S = 5.0
"""What a worker gets to end its task when everything stops; then it is killed."""


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


class _Worker:
    """State of a worker process: whether all is to stop, and whether a task is running."""

    stopping: Event | None = None
    at_work = False

    @classmethod
    def attempt(
        cls, function: Callable[[Item], Value], item: Item
    ) -> tuple[Value | None, AverError | None]:
        """`_attempt`, unless the item waited in the queue when everything stopped.

        The parent has the item: sent back, it might carry along what is slow to import there.
        """
        try:
            cls.at_work = True
            if cls.stopping is not None and cls.stopping.is_set():
                raise KeyboardInterrupt
            outcome = _attempt(function, item)
            return outcome.value, outcome.error
        finally:
            cls.at_work = False

    @classmethod
    def interrupt(cls, which: int, frame: FrameType | None) -> None:
        """Answer SIGTERM as a single process answers Ctrl-C; without a task there is little to do.

        When everything stops, the pool ends idle workers in good order: one that left by itself
        might take the lock of the queue along.
        """
        if cls.at_work:
            raise KeyboardInterrupt
        if cls.stopping is None or not cls.stopping.is_set():
            os._exit(128 + which)


def _prepare_worker(stopping: Event | None = None) -> None:
    """Leave Ctrl-C to the parent, and keep libraries from multiplying threads.

    A worker that Ctrl-C interrupts would print a traceback of its own; so the parent hears it and
    sends SIGTERM.
    """
    import sys

    _Worker.stopping = stopping
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _Worker.interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for variable in _THREAD_COUNTS:
        os.environ[variable] = "1"
    if "numpy" in sys.modules:  # the caller's script imports it: too late for the variables
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def _end_with_parent() -> None:
    """Once the parent has died, interrupt the task; a worker must not go on by itself for hours."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(128 + signal.SIGTERM)


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

    After Ctrl-C, an error, or when the caller wants no more, workers get SIGTERM, which is Ctrl-C
    to their task, and a few seconds to end it.

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
        running: dict[Future[tuple[Value | None, AverError | None]], int] = {}
        following, predicted = 0, 0
        # Spawned, not forked: libraries with threads of their own do not survive a fork.
        context = multiprocessing.get_context("spawn")
        stopping = context.Event()
        others = set(multiprocessing.active_children())
        pool = ProcessPoolExecutor(
            min(workers, len(items)),
            mp_context=context,
            initializer=_prepare_worker,
            initargs=(stopping,),
        )
        try:
            while predicted < len(items):
                while following < len(items) and len(running) < workers * _QUEUED_PER_WORKER:
                    with _ctrl_c_held_back():
                        future = pool.submit(_Worker.attempt, function, items[following])
                    running[future] = following
                    following += 1
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    index = running.pop(future)
                    done[index] = Outcome(items[index], *future.result())
                    bar.advance(weigh(items[index]))
                while predicted in done:
                    yield done.pop(predicted)
                    predicted += 1
        except BrokenProcessPool:
            raise WorkerError(
                f"A worker process ended before its task did, after {predicted} of {len(items)}. "
                "If memory ran out, use fewer workers. In a script of your own, the calls must "
                "stand below if __name__ == '__main__':, or use one worker."
            ) from None
        finally:
            stopping.set()
            at_work = [future for future in running if not future.cancel()]
            pool.shutdown(wait=False, cancel_futures=True)
            _end(set(multiprocessing.active_children()) - others, at_work)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let processes that start here never see Ctrl-C, not even before they are prepared."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: set[BaseProcess], at_work: Sequence[Future[Any]]) -> None:
    """Interrupt tasks and await their end, but not for long, and on Ctrl-C not at all.

    Then the processes are killed: idle they have nothing to lose, and to take torch down in good
    order may last seconds.
    """
    try:
        for process in processes:
            process.terminate()
        wait(at_work, timeout=_GRACE_S)
    finally:
        for process in processes:
            process.kill()
