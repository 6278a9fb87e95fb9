"""Speed of the spiking engine beside Brian2, on one core; medians of five in one run.

Run `python benchmarks/spiking.py` (`--quick` for W1 only, nothing written). Prints a table and
writes benchmarks/results/spiking.json and docs/results/spiking.md. Both engines get networks from
the same description; Brian2 draws its own Poisson spikes, as its users' scripts do. Its programs
are kept in the cache folder, so that an interrupted benchmark need not compile them again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from aver.execution.files import cache_root

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

CONDITIONS = ("learning", "frozen", "delays")
CLIPS = {"W1": 40, "W2": 10, "W3": 10, "W4": 10}

# Milliseconds per sample measured elsewhere on one core (they need environments of their own).


def network_of(workload: str, condition: str, integrator: str):
    """The workload's network, with random axonal delays of 0-10 ms if asked."""
    from tests.spiking.workloads import SIZES, build

    delays = 0.0
    if condition == "delays":
        neurons = int(np.prod(SIZES[workload][0]))
        delays = np.random.default_rng(0).uniform(0, 10, neurons).round(1)
    # Learning carries its state from clip to clip, as Brian2 does; frozen clips are independent.
    between = "reset" if condition == "frozen" else "carry"
    return build(workload, integrator, between, delay_ms=delays)


def time_engine(workload: str, condition: str, integrator: str, repeats: int) -> list[float]:
    """Milliseconds per clip, so many times, spike generation and bookkeeping included."""
    from tests.spiking.workloads import rates

    network = network_of(workload, condition, integrator)
    clips = CLIPS[workload]
    rates_hz = rates(workload, clips * (repeats + 1))
    seconds = []
    for repeat in range(repeats + 1):
        part = rates_hz[repeat * clips : (repeat + 1) * clips]
        start = time.perf_counter()
        network.run({"input": part}, learn=condition != "frozen", threads=1)
        seconds.append(time.perf_counter() - start)
    return [1000 * s / clips for s in seconds[1:]]  # the first warms caches and compiles


def time_threads(workload: str, repeats: int) -> dict[str, float]:
    """Milliseconds per clip of frozen, independent clips on one thread and on two."""
    from tests.spiking.workloads import build, rates

    network = build(workload, "implicit-euler", "reset")
    rates_hz = rates(workload, 16 * CLIPS[workload])  # about a second of work
    network.run({"input": rates_hz[: CLIPS[workload]]}, learn=True)
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for threads in times:
            start = time.perf_counter()
            network.run({"input": rates_hz}, learn=False, threads=threads)
            times[threads].append(1000 * (time.perf_counter() - start) / len(rates_hz))
    one, two = statistics.median(times[1]), statistics.median(times[2])
    return {"one_thread_ms": one, "two_threads_ms": two, "ratio": one / two}


def time_compilation() -> dict[str, float]:
    """Seconds of a first tiny run in a fresh process: without compiled kernels, then with."""
    code = (
        "import time, numpy as np; t = time.perf_counter()\n"
        "from aver.spiking import Network, Population\n"
        "n = Network(); n.add_source('a', (4,)); n.add_population('b', Population(4))\n"
        "n.connect('a', 'b'); n.run({'a': np.zeros((1, 4))}); print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        seconds = [
            float(subprocess.check_output([sys.executable, "-c", code], env=environment))
            for _ in range(2)
        ]
    return {"compiling_s": seconds[0], "from_cache_s": seconds[1]}


def time_brian_cpp(workload: str, condition: str, repeats: int) -> list[float]:
    """Milliseconds per clip in Brian2's C++ standalone mode: its own account of the main loop."""
    folder = brian_program(workload, condition)
    milliseconds = []
    for _ in range(repeats):
        subprocess.run([folder / "main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        seconds = float((folder / "results/last_run_info.txt").read_text().split()[0])
        milliseconds.append(1000 * seconds / brian_clips(workload))
    return milliseconds


def brian_program(workload: str, condition: str) -> Path:
    """Folder of the compiled network, built unless an earlier benchmark left it in the cache."""
    texts = [ROOT / "tests/spiking" / name for name in ("brian_twin.py", "workloads.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in [*texts, Path(__file__)]))
    folder = cache_root() / "benchmarks" / f"{workload}-{condition}-{digest.hexdigest()[:12]}"
    finished = folder / "finished"
    if not finished.exists():
        shutil.rmtree(folder, ignore_errors=True)
        in_own_process("build_brian", workload, condition, str(folder))
        finished.touch()
    return folder


def build_brian(workload: str, condition: str, folder: str) -> None:
    """Write and compile the C++ program of a network and its clips."""
    import brian2 as b2
    from tests.spiking.brian_twin import BrianTwin
    from tests.spiking.workloads import rates

    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.extra_make_args_unix = ["-j2"]
    network = network_of(workload, condition, "forward-euler")
    twin = BrianTwin(network, learn=condition != "frozen", poisson=True)
    twin.normalize_before_each_clip()
    # One run over all clips, or Brian2 would report the time of the last stretch only.
    clips = brian_clips(workload)
    every_50_ms = rates(workload, clips).reshape(clips, 1, -1).repeat(10, axis=1)
    every_50_ms[:, 7:] = 0.0  # the rest
    by_time = b2.TimedArray(every_50_ms.reshape(10 * clips, -1) * b2.Hz, dt=50 * b2.ms)
    source = twin.sources["input"]
    source.namespace = {"by_time": by_time}
    # A clock of its own: rates written in every step would slow Brian2 for nothing.
    source.run_regularly("rates = by_time(t, i)", dt=50 * b2.ms, when="start")
    twin.brian.add(*source.contained_objects)
    twin.brian.run(clips * 500 * b2.ms)
    b2.device.build(directory=folder, compile=True, run=False)


def brian_clips(workload: str) -> int:
    """How many clips one run of Brian2 takes."""
    return 8 if workload == "W1" else 2


def time_brian_cython(workload: str, repeats: int) -> list[float]:
    """Milliseconds per clip in Brian2's Cython mode, shown and normalized clip by clip."""
    import brian2 as b2
    from tests.spiking.brian_twin import BrianTwin
    from tests.spiking.workloads import rates

    b2.prefs.codegen.target = "cython"
    clips = rates(workload, repeats + 1)
    twin = BrianTwin(network_of(workload, "learning", "forward-euler"), poisson=True)
    milliseconds = []
    for k, clip in enumerate(clips):
        start = time.perf_counter()
        twin.show({"input": clip.ravel()}, 500.0 * k)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return milliseconds[1:]  # the first compiles


def in_own_process(function: str, *arguments: Any) -> Any:
    """Run one of the functions above in a fresh process, so that no state lingers."""
    script = [sys.executable, __file__, "--only", function, json.dumps(arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(script, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{function} {arguments} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(workloads: list[str], repeats: int) -> list[dict]:
    """One row per workload and condition."""
    rows = []
    for workload in workloads:
        for condition in CONDITIONS:
            ours = in_own_process("time_engine", workload, condition, "forward-euler", repeats)
            implicit = in_own_process("time_engine", workload, condition, "implicit-euler", repeats)
            brian = in_own_process("time_brian_cpp", workload, condition, repeats)
            row = {
                "workload": workload,
                "condition": condition,
                "aver_ms": ours,
                "aver_implicit_ms": implicit,
                "brian2_cpp_ms": brian,
                "ratio": statistics.median(brian) / statistics.median(ours),
                "ratio_implicit": statistics.median(brian) / statistics.median(implicit),
            }
            if condition == "learning":
                row["brian2_cython_ms"] = in_own_process("time_brian_cython", workload, repeats)
            rows.append(row)
            print(table([row]).splitlines()[-1], flush=True)
    return rows


def table(rows: list[dict]) -> str:
    """The rows in Markdown."""
    lines = [
        "| network | condition | aver, forward Euler (ms) | aver, implicit Euler (ms) "
        "| Brian2 C++ standalone (ms) | Brian2 Cython (ms) | ratio to C++ |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cython = row.get("brian2_cython_ms")
        ours, implicit, brian = (
            statistics.median(row[k]) for k in ("aver_ms", "aver_implicit_ms", "brian2_cpp_ms")
        )
        lines.append(
            f"| {row['workload']} | {row['condition']} | {ours:.2f} | {implicit:.2f} "
            f"| {brian:.1f} | {f'{statistics.median(cython):.0f}' if cython else '-'} "
            f"| {row['ratio']:.1f} ({row['ratio_implicit']:.1f}) |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="W1 only")
    parser.add_argument("--repeats", type=int, default=5, help="other than 5: nothing is written")
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        function, arguments = options.only
        print(json.dumps(globals()[function](*json.loads(arguments))))
        return
    workloads = ["W1"] if options.quick else list(CLIPS)
    rows = measure(workloads, options.repeats)
    threads = {
        workload: in_own_process("time_threads", workload, options.repeats)
        for workload in workloads
    }
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rows": rows,
        "threads": threads,
        "compilation": time_compilation(),
    }
    text = page(result)
    print(text)
    if options.quick or options.repeats != 5:
        return
    (ROOT / "benchmarks/results/spiking.json").write_text(json.dumps(result, indent=1) + "\n")
    (ROOT / "docs/results/spiking.md").write_text(text)


def page(result: dict) -> str:
    """The page of results."""
    threads = "\n".join(
        f"| {name} | {t['one_thread_ms']:.2f} | {t['two_threads_ms']:.2f} | {t['ratio']:.2f} |"
        for name, t in result["threads"].items()
    )
    compilation = result["compilation"]
    return f"""# Speed of the spiking engine

`python benchmarks/spiking.py` measures the engine and Brian2 in one run.

Milliseconds per clip of 350 + 150 ms at a time step of 0.5 ms, one core, medians of five. Spike
generation and bookkeeping are included. Learning runs carry their state from clip to clip. Frozen
clips of `aver` start from rest and can therefore run in parallel. The ratio in brackets is for
implicit Euler, the default. W1: 784 inputs to 400 neurons; W2: 784 to 6,400; W3: 40 x 388 inputs,
38 windows x 60; W4: 100 x 100 inputs, 100 windows x 60. Machine: {result["machine"]}.

{table(result["rows"])}

W2 is limited by memory bandwidth: a step reads and writes 48 bytes for each of 6,400 neurons, and
a loop that only copies as much takes as long.

Frozen runs of independent clips (implicit Euler) with two threads:

| network | one thread (ms) | two threads (ms) | ratio |
|---|---|---|---|
{threads}

Compilation takes {compilation["compiling_s"]:.0f} s once per installation, up to the end of a first
small run; later processes load the compiled kernels in {compilation["from_cache_s"]:.1f} s.
"""


if __name__ == "__main__":
    main()
