"""`run_limited`: a command with limits on time and resident memory, both measured from outside.

Limits of the address space (RLIMIT_AS) would count memory that is only reserved, and the largest
resident set that the system reports for a child (ru_maxrss) includes that of its parent before
exec. Therefore ``/proc`` is read while the command runs. Linux only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.02


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    Parameters
    ----------
    status : int
        Exit status; negative if a signal ended it.
    stdout, stderr : str
    peak_bytes : int
        Largest resident memory of the process and its children together.
    seconds : float
    stopped : str
        ``"time"`` or ``"memory"`` if a limit was reached, else empty.
    """

    status: int
    stdout: str
    stderr: str
    peak_bytes: int
    seconds: float
    stopped: str = ""


def run_limited(
    command: Sequence[str],
    *,
    seconds: float,
    memory_bytes: int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Finished:
    """Run a command; kill it and its children when it reaches a limit."""
    start, peak, stopped = time.monotonic(), 0, ""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                peak = max(peak, resident_bytes(process.pid))
                stopped = "memory" if peak > memory_bytes else stopped
                stopped = "time" if time.monotonic() - start > seconds else stopped
                if stopped:
                    break
                time.sleep(_POLL_S)
        finally:
            with suppress(ProcessLookupError):  # also its children
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Finished(process.returncode, *texts, peak, time.monotonic() - start, stopped)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process now, or its own peak if that is larger, with its children."""
    values = [_status_kib(pid, "VmHWM")]
    values += [_status_kib(child, "VmRSS") for child in _descendants(pid)]
    return sum(values) * 1024


def _status_kib(pid: int, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
    return 0


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))
