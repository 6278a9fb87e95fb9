"""`Run`: work whose result is kept in a folder, with one identity, resumed and found again by it.

Evaluations, their folds, reproduced tables, robustness and pretraining all are runs.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from aver.compatibility import upgrade
from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.execution.clip_work import reading
from aver.execution.files import write_json
from aver.training.history import RESUME_NAME, drop_resume_states
from aver.version import __version__

STARTED_NAME = "started.json"
"""The file in a run's folder that records its identity; written before the work starts."""

_FORMAT = "aver run 1"


@dataclass(frozen=True)
class Run:
    """Work whose result is kept in a folder.

    Parameters
    ----------
    folder : Path
    identity : mapping of str to JSON value
        Everything that decides the result: model, resolved settings, content of the data, split,
        seed. Names for display, paths and the number of workers do not belong here.
    result : str
        Name of the file that is written last; the run is finished if it exists.
    replaces : bool
        Whether `start` overwrites a run of another identity in the folder. Otherwise that is an
        error.
    """

    folder: Path
    identity: Mapping[str, Any]
    result: str = "evaluation.json"
    replaces: bool = False

    @classmethod
    def below(
        cls, root: Path, identity: Mapping[str, Any], result: str = "evaluation.json"
    ) -> Self:
        """The run in a folder of its own below `root`, named by the identity."""
        return cls(root / digest(_deciding(identity))[:12], identity, result)

    @cached_property
    def key(self) -> str:
        """Hash of the identity, 16 hexadecimal digits."""
        return digest(_deciding(self.identity))

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {name: digest(value) for name, value in _deciding(self.identity).items()}

    def is_finished(self) -> bool:
        """Whether the folder holds the result of this run.

        Raises
        ------
        SettingsError
            If the folder holds a run of another identity that is finished or has trained an
            epoch, or one whose identity cannot be compared. Not with `replaces`.
        """
        finished = (self.folder / self.result).exists()
        differing = self._differing()
        if differing is None:
            if finished and not self.replaces:
                raise self._refusal("a finished run without a record of its settings and data")
            return False
        if differing and not self.replaces and (finished or self._has_trained()):
            raise self._refusal(differing)
        return finished and not differing

    def _has_trained(self) -> bool:
        """Whether an unfinished run left something that a run of other settings would lose."""
        recorded = json.loads((self.folder / STARTED_NAME).read_text(encoding="utf-8"))
        kept = (RESUME_NAME, "*.safetensors")
        trained = any(path for name in kept for path in self.folder.rglob(name))
        return recorded.get("format") != _FORMAT or trained

    def start(self) -> bool:
        """Record the identity in the folder, before any work.

        A state to resume from is deleted if it is not known to be of this run.

        Returns
        -------
        bool
            Whether the run is finished already; its result is in the folder.

        Raises
        ------
        SettingsError
            As `is_finished`.
        """
        finished = self.is_finished()
        if self._differing() != "":
            drop_resume_states(self.folder)
            (self.folder / self.result).unlink(missing_ok=True)
            write_json(self.folder / STARTED_NAME, {"format": _FORMAT, "identity": self._hashes})
        return finished

    def finish(self) -> None:
        """Delete the states to resume from; call it after the result was written."""
        drop_resume_states(self.folder)

    def _differing(self) -> str | None:
        """How the recorded run differs, in words; empty for this run, None without a record."""
        record = self.folder / STARTED_NAME
        if not record.exists():
            return None
        with reading(record, SettingsError):
            recorded = json.loads(record.read_text(encoding="utf-8"))
            if set(recorded) == {"key"}:  # a fold of version 0.1
                return (
                    "a run of version 0.1, which 'aver report', 'aver robustness' and 'aver "
                    "predict' read but which this version cannot continue"
                )
            if recorded.get("format") == _FORMAT:
                recorded = dict(recorded["identity"])
            else:  # a pretraining of version 0.1: values in place of their hashes
                recorded = {name: digest(value) for name, value in upgrade(recorded).items()}
        own = self._hashes
        names = sorted(n for n in {*recorded, *own} if recorded.get(n) != own.get(n))
        return f"a run with other {', '.join(names)}" if names else ""

    def _refusal(self, held: str) -> SettingsError:
        return SettingsError(
            f"{self.folder} holds {held}. Choose another folder with --out, or remove this one."
        )


def _deciding(value: Any) -> Any:
    """An identity without the loggers of a training, which decide nothing."""
    if isinstance(value, Mapping):
        return {name: _deciding(part) for name, part in value.items() if name != "loggers"}
    return value


def digest(value: Any) -> str:
    """Hash of a JSON value, 16 hexadecimal digits.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def clip_facts(clip: Clip) -> list[Any]:
    """Id, speaker and all labels of a clip as JSON values, for an identity; no paths.

    Examples
    --------
    >>> clip_facts(Clip("a", "s1", "happy", intensity="strong"))
    ['a', 's1', 'happy', 'strong', {}]
    """
    votes = {perceived: dict(shares) for perceived, shares in clip.votes.items()}
    return [clip.clip_id, clip.speaker, clip.emotion, clip.intensity, votes]


_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pandas", "av", "numba")


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


@lru_cache(maxsize=1)
def _source_revision() -> str:
    """Git revision of the source tree, marked if files differ from it."""
    here = Path(__file__)
    # In a package installed inside another repository, that repository's revision says nothing.
    if _git(here.parent, "ls-files", "--error-unmatch", here.name) is None:
        return "unknown"
    described = _git(here.parent, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    return described or "unknown"


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        finished = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()
