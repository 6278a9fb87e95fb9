"""`map_tasks`: many independent tasks, in this process or in several, with one outcome each."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from types import FrameType
from typing import Any, Generic, TypeVar

from aver.errors import AverError, WorkerError
from aver.execution.progress import progress_bar
from aver.registry import has_script_classes

Item = TypeVar("Item")
Value = TypeVar("Value")

_QUEUED_PER_WORKER = 4  # enough to keep workers busy, few enough that Ctrl-C takes effect soon
_GRACE_S = 5.0
"""Time that a worker has to end its task when all work stops; then it is killed."""


@dataclass(frozen=True)
class Outcome(Generic[Item, Value]):
    """The result for one item: a value, or the error that it raised."""

    item: Item
    value: Value | None
    error: AverError | None = None


def usable_cores() -> int:
    """Number of cores that this process may use."""
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
    unit: str = "",
) -> Generator[Outcome[Item, Value], None, None]:
    """Apply `function` to every item and yield the outcomes in the order of the items.

    After Ctrl-C, after an error, and if the caller stops iterating, the workers get SIGTERM, which
    raises KeyboardInterrupt in their task, and a few seconds to end it.

    Parameters
    ----------
    function : callable
        Takes one item. With several workers it must be importable (no lambda), and items and
        values must be picklable. An `AverError` becomes the outcome of the item; any other
        exception propagates.
    items : sequence
    workers : int >= 1
        Processes. 1 stays in this process. Results do not depend on it.
    description : str
        Text in front of the progress bar; empty for no bar.
    weight : callable, optional
        Work per item in any unit, for instance seconds of video, for the time left if items
        differ in size.
    unit : str
        What the items are, in the plural, for the progress bar: ``"clips"``.

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
    with progress_bar(description, total, unit, len(items)) as bar:
        if workers <= 1 or len(items) <= 1:
            for item in items:
                outcome = _attempt(function, item)
                bar.advance(weigh(item))
                yield outcome
            return
        finished: dict[int, Outcome[Item, Value]] = {}
        running: dict[Future[tuple[Value | None, AverError | None]], int] = {}
        submitted, yielded = 0, 0
        # Spawn instead of fork: libraries with threads of their own do not survive a fork.
        context = multiprocessing.get_context("spawn")
        stopping = context.Event()
        others = set(multiprocessing.active_children())
        starting = nullcontext if _needs_script(function, items) else _script_hidden
        pool = ProcessPoolExecutor(
            min(workers, len(items)),
            mp_context=context,
            initializer=_prepare_worker,
            initargs=(stopping,),
        )
        try:
            while yielded < len(items):
                while submitted < len(items) and len(running) < workers * _QUEUED_PER_WORKER:
                    with _ctrl_c_blocked(), starting():
                        future = pool.submit(_Worker.attempt, function, items[submitted])
                    running[future] = submitted
                    submitted += 1
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    index = running.pop(future)
                    finished[index] = Outcome(items[index], *future.result())
                    bar.advance(weigh(items[index]))
                while yielded in finished:
                    yield finished.pop(yielded)
                    yielded += 1
        except BrokenProcessPool:
            raise WorkerError(
                f"A worker process ended before its task, after {yielded} of {len(items)} tasks. "
                "If memory ran out, use fewer workers. If the script defines features or models of "
                "its own, put its calls under if __name__ == '__main__':, or use workers=1."
            ) from None
        finally:
            stopping.set()
            not_cancelled = [future for future in running if not future.cancel()]
            pool.shutdown(wait=False, cancel_futures=True)
            _end(set(multiprocessing.active_children()) - others, not_cancelled)


def _attempt(function: Callable[[Item], Value], item: Item) -> Outcome[Item, Value]:
    try:
        return Outcome(item, function(item))
    except AverError as error:
        return Outcome(item, None, error)


def _needs_script(function: Callable[[Item], Value], items: Sequence[Item]) -> bool:
    """Whether workers must run the caller's script, since it defines what they work with."""
    if has_script_classes():
        return True
    try:
        return b"__main__" in pickle.dumps((function, items[0]))
    except Exception:  # the pool says what cannot be pickled
        return True


_script_lock = threading.Lock()


@contextmanager
def _script_hidden() -> Iterator[None]:
    """Start processes that do not run the caller's script again.

    Python runs it in every new process, where a script without ``if __name__ == "__main__":``
    would start all its work again.
    """
    script = sys.modules["__main__"]
    with _script_lock:
        hidden = {name: getattr(script, name, None) for name in ("__file__", "__spec__")}
        script.__dict__.update(dict.fromkeys(hidden))
        try:
            yield
        finally:
            script.__dict__.update(hidden)


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Start processes with SIGINT blocked, so that Ctrl-C cannot reach them before their setup."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: set[BaseProcess], running: Sequence[Future[Any]]) -> None:
    """Interrupt the tasks and wait for their end, for a few seconds at most; then kill.

    An idle process has nothing to lose, and unloading torch in good order may take seconds. A
    second Ctrl-C kills at once.
    """
    try:
        for process in processes:
            process.terminate()
        wait(running, timeout=_GRACE_S)
    finally:
        for process in processes:
            process.kill()


class _Worker:
    """State of a worker process: whether all work is to stop, and whether a task is running."""

    stopping: Event | None = None
    is_running = False

    @classmethod
    def attempt(
        cls, function: Callable[[Item], Value], item: Item
    ) -> tuple[Value | None, AverError | None]:
        """`_attempt`, unless the item was still in the queue when all work stopped.

        Does not return the item, which the parent has: unpickling it there might import slow
        modules.
        """
        try:
            cls.is_running = True
            if cls.stopping is not None and cls.stopping.is_set():
                raise KeyboardInterrupt
            outcome = _attempt(function, item)
            return outcome.value, outcome.error
        finally:
            cls.is_running = False

    @classmethod
    def interrupt(cls, which: int, frame: FrameType | None) -> None:
        """Handle SIGTERM as a single process handles Ctrl-C; exit if there is no task.

        When all work stops, the pool ends the idle workers itself: a worker that exits by itself
        might hold the lock of the queue.
        """
        if cls.is_running:
            raise KeyboardInterrupt
        if cls.stopping is None or not cls.stopping.is_set():
            os._exit(128 + which)


_THREAD_COUNTS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    "OPENCV_FOR_THREADS_NUM",
)
"""Variables that libraries read when they are loaded; set in worker processes only."""


def _prepare_worker(stopping: Event | None = None) -> None:
    """Ignore Ctrl-C, which the parent passes on as SIGTERM, and use one thread per library.

    A worker that received Ctrl-C itself would print a traceback of its own.
    """
    _Worker.stopping = stopping
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _Worker.interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for variable in _THREAD_COUNTS:
        os.environ[variable] = "1"
    if "numpy" in sys.modules:  # imported by the caller's script: too late for the variables
        from threadpoolctl import threadpool_limits

        threadpool_limits(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)


def _end_with_parent() -> None:
    """Interrupt the task if the parent dies, so that no worker runs on by itself for hours."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_S)
    os._exit(128 + signal.SIGTERM)
