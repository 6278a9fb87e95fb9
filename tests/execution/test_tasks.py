"""Tasks in one process and in several: order, errors, Ctrl-C, killed workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from aver.errors import MediaError, WorkerError
from aver.execution import tasks
from aver.execution.files import write_text
from aver.execution.tasks import map_tasks


def square_slowly_at_first(number: int) -> int:
    time.sleep(0.2 if number == 0 else 0.0)
    return number * number


def refuse_odd(number: int) -> int:
    if number % 2:
        raise MediaError(f"{number} is odd.")
    return number


def fail(number: int) -> int:
    raise ZeroDivisionError(str(number))


def process_id(number: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_outcomes_come_in_the_order_of_the_items(workers: int) -> None:
    outcomes = list(map_tasks(square_slowly_at_first, range(12), workers=workers))
    assert [outcome.item for outcome in outcomes] == list(range(12))
    assert [outcome.value for outcome in outcomes] == [number**2 for number in range(12)]


def test_several_workers_are_other_processes() -> None:
    found = {outcome.value for outcome in map_tasks(process_id, range(8), workers=2)}
    assert len(found) == 2
    assert os.getpid() not in found


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_one_item_do_not_stop_the_others(workers: int) -> None:
    outcomes = list(map_tasks(refuse_odd, range(5), workers=workers))
    assert [str(outcome.error) for outcome in outcomes if outcome.error] == [
        "1 is odd.",
        "3 is odd.",
    ]
    assert [outcome.value for outcome in outcomes if not outcome.error] == [0, 2, 4]
    assert all(isinstance(o.error, MediaError) for o in outcomes if o.error)


@pytest.mark.parametrize("workers", [1, 2])
def test_other_exceptions_propagate(workers: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_tasks(fail, range(3), workers=workers))


def test_a_killed_worker_is_an_error_with_advice() -> None:
    with pytest.raises(WorkerError, match="use fewer workers"):
        list(map_tasks(die, range(3), workers=2))


def test_no_items_no_outcomes() -> None:
    assert list(map_tasks(refuse_odd, [], workers=2)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_bar_advances_by_the_weight_of_what_is_done(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[float] = []

    class Recorder:
        def __init__(self, description: str, total: float, unit: str, count: int) -> None:
            shown.append(-total)

        def __enter__(self) -> Recorder:
            return self

        def __exit__(self, *reason: object) -> None:
            pass

        def advance(self, amount: float) -> None:
            shown.append(amount)

    monkeypatch.setattr(tasks, "progress_bar", Recorder)
    list(map_tasks(refuse_odd, [1, 2, 5], workers=workers, description="x", weight=float))
    assert shown[0] == -8.0
    assert sorted(shown[1:]) == [1.0, 2.0, 5.0]


SCRIPT = """
import sys, time
from pathlib import Path
from aver.execution.files import write_text
from aver.execution.tasks import map_tasks
from tests.execution.test_tasks import write_slowly

if __name__ == "__main__":
    paths = [Path(sys.argv[1]) / f"{i}.txt" for i in range(200)]
    try:
        for _ in map_tasks(write_slowly, paths, workers=WORKERS):
            pass
    except KeyboardInterrupt:
        sys.exit(130)
"""


def write_slowly(path: Path) -> None:
    (path.parent / "started").touch()
    time.sleep(0.05)
    write_text(path, "whole" * 1000)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_whole_files_only(tmp_path: Path, workers: int) -> None:
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SCRIPT).replace("WORKERS", str(workers)))
    folder = tmp_path / "out"
    folder.mkdir()
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, script, folder],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(root)])},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.time() + 30
    while len(list(folder.glob("*.txt"))) < 3 and time.time() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to parent and workers
    _, complaints = process.communicate(timeout=20)
    written = list(folder.glob("*.txt"))
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert 3 <= len(written) < 200
    assert {path.read_text() for path in written} == {"whole" * 1000}
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_workers_have_one_thread_even_if_the_script_imports_numpy_first(tmp_path: Path):
    (tmp_path / "numpy_first.py").write_text(
        textwrap.dedent(
            """
            import numpy
            from threadpoolctl import threadpool_info
            from aver.execution.tasks import map_tasks

            def threads(number):
                return max(pool["num_threads"] for pool in threadpool_info())

            if __name__ == "__main__":
                print([done.value for done in map_tasks(threads, [0, 1], workers=2)])
            """
        )
    )
    command = [sys.executable, tmp_path / "numpy_first.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["[1,", "1]"]


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_when_their_parent_is_killed(which: signal.Signals, tmp_path: Path):
    (tmp_path / "killed.py").write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from pathlib import Path
            from aver.execution.tasks import map_tasks

            def sleep_long(folder):
                (Path(folder) / f"{os.getpid()}.started").touch()
                time.sleep(60)

            if __name__ == "__main__":
                list(map_tasks(sleep_long, [sys.argv[1]] * 2, workers=2))
            """
        )
    )
    parent = subprocess.Popen([sys.executable, tmp_path / "killed.py", tmp_path])
    workers: list[int] = []
    until = time.monotonic() + 60
    while len(workers) < 2 and time.monotonic() < until:
        workers = [int(path.stem) for path in tmp_path.glob("*.started")]
        time.sleep(0.05)
    parent.send_signal(which)
    parent.wait(timeout=30)
    until = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < until, "a worker lives on"
        time.sleep(0.05)
    assert len(workers) == 2


def run_script(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    script = folder / "script.py"
    script.write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120
    )


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        from math import factorial
        from aver.execution.tasks import map_tasks
        print("started")
        print([outcome.value for outcome in map_tasks(factorial, [1, 2, 3, 4], workers=2)])
        print(__file__.endswith("script.py"), __spec__)
        """,
    )
    assert done.stdout.splitlines() == ["started", "[1, 2, 6, 24]", "True None"]


@pytest.mark.parametrize("guard", [True, False])
def test_functions_of_the_script_itself_need_a_guard(guard: bool, tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        f"""
        from aver.execution.tasks import map_tasks
        def double(number):
            return 2 * number
        if {"__name__ == '__main__'" if guard else "True"}:
            print([outcome.value for outcome in map_tasks(double, [1, 2, 3], workers=2)])
        """,
    )
    if guard:
        assert done.stdout == "[2, 4, 6]\n"
    else:
        assert "put its calls under if __name__ == '__main__':" in done.stderr
