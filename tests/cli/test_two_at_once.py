"""Two commands at once on one cache, corpus and run folder: equal results, or a clear refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from aver.errors import SettingsError
from aver.execution.folder_lock import writes_alone
from tone_corpus import write_tone_corpus

COMMAND = "import sys; from aver.cli.main import main; sys.exit(main(sys.argv[1:]))"


def both(
    one: Sequence[object], other: Sequence[object], cache: Path
) -> tuple[subprocess.CompletedProcess[str], ...]:
    """Start two commands at the same time on an empty cache, and wait for both."""
    environment = {**os.environ, "AVER_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for words in (one, other)
    ]
    done = []
    for process in started:
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        done.append(subprocess.CompletedProcess(process.args, process.returncode, out, err))
    return tuple(done)


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "tones"
    write_tone_corpus(folder, speakers=4, takes=2)
    return folder


def system(tones: Path) -> list[object]:
    return [
        *("--corpus", tones, "--reader", "manifest", "--corpus-settings"),
        *("pattern={speaker}_{emotion}_{take}.wav", "--preset", "statistics-logistic"),
        *("--modalities", "audio", "--workers", 1),
    ]


def test_predictions_on_an_empty_cache_are_equal(tones: Path, tmp_path: Path) -> None:
    words = ["predict", tones, "--format", "jsonl", "--workers", 1]
    one, other = both(words, words, tmp_path / "cache")
    assert (one.returncode, other.returncode) == (0, 0)
    assert one.stdout == other.stdout
    assert len(one.stdout.splitlines()) == len(list(tones.rglob("*.wav")))
    left = [path for path in (tmp_path / "cache").rglob("*") if ".tmp" in path.name]
    assert not left


def test_one_run_folder_holds_one_run(tones: Path, tmp_path: Path) -> None:
    """Whether the other command is the same run or another one, one of them is refused."""
    words = ["evaluate", *system(tones), "--baselines", "none", "--out", tmp_path / "run"]
    done = both(words, [*words, "--seeds", "1"], tmp_path / "cache")
    assert sorted(one.returncode for one in done) == [0, 2]
    refused = next(one for one in done if one.returncode)
    errors = [line for line in refused.stderr.splitlines() if line.startswith("aver: ")]
    assert "--out" in errors[-1]
    assert len(list((tmp_path / "run" / "folds").iterdir())) == 1


def test_a_folder_is_written_by_one_process(tmp_path: Path) -> None:
    """The lock is refused while a process holds it, and free after a kill."""
    script = (
        "import sys, pathlib\n"
        "from aver.execution.folder_lock import writes_alone\n"
        "with writes_alone(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    run = [sys.executable, "-c", script, str(tmp_path / "run")]
    with subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(SettingsError, match="Another command is writing"),
            writes_alone(tmp_path / "run"),
        ):
            pass
        holder.kill()
    with writes_alone(tmp_path / "run"):
        pass
    assert not list((tmp_path / "run").iterdir())
