"""What lies beside every result, so that anyone can see how it came about and repeat it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from aver.execution.atomic import write_json, write_text
from aver.version import __version__

_PACKAGES = ("torch", "lightning", "numpy", "scipy", "scikit-learn", "librosa", "av", "numba")


def write_settings(
    folder: Path, settings: Mapping[str, Any], *, command: str, split_hash: str
) -> None:
    """Write ``settings.yaml`` and ``environment.json``.

    Parameters
    ----------
    folder : Path
        The run folder.
    settings : mapping
        Everything decided before training, resolved: model, settings, seeds, corpus.
    command : str
        The command line that repeats the run.
    split_hash : str
        Hash of the split that lies beside as ``split.json``.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    import yaml

    plan = {"command": command, "split_hash": split_hash, **settings}
    write_text(folder / "settings.yaml", yaml.safe_dump(plan, sort_keys=False, allow_unicode=True))
    write_json(folder / "environment.json", describe_environment())


def describe_environment() -> dict[str, Any]:
    """Versions, processor and source revision, as JSON values."""
    return {
        "aver": __version__,
        "revision": _source_revision(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "packages": {name: _package_version(name) for name in _PACKAGES},
    }


def _package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _source_revision() -> str:
    """Git revision of the source tree that runs, marked where files differ from it."""
    here = Path(__file__)
    # Installed inside somebody else's repository, their revision would say nothing about ours.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return "unknown"
    described = _git(here.parent, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return described or "unknown"


def _git(folder: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
