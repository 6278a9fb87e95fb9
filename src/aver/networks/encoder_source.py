"""`EncoderSource`: where a pretrained `transformers` encoder is, on the hub or in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from aver.errors import CheckpointError, SettingsError, StorageError
from aver.execution.files import cache_root, last_name, write_json
from aver.settings import settings

CONFIG_NAME = "config.json"
_WEIGHTS, _INDEX = "model.safetensors", "model.safetensors.index.json"
_PREPROCESSORS = ("preprocessor_config.json", "processor_config.json")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SAFE_ONLY = (
    "Pickled weights (pytorch_model.bin) are not read, since they can execute code. Hub models "
    "without safetensors often have them in the revision refs/pr/1, or another 'refs/pr/' that "
    "the model's page lists under Community; or convert the file and give the folder."
)


@settings
class EncoderSource:
    """Which pretrained encoder, and where it computes.

    Parameters
    ----------
    name : str
        The path of a folder that ``save_pretrained`` wrote; or the name of such a folder in
        ``$AVER_MODELS``; or a name on the Hugging Face hub, such as ``facebook/hubert-base-ls960``.
    revision : str
        Of a hub name: branch, tag or commit. Empty for ``main``.
    sha256 : str
        Hash that the encoder's files must have; empty for any. Checkpoints fill it in.
    local_files_only : bool
        Never download. So does the environment variable ``HF_HUB_OFFLINE=1``.
    device : {"auto", "cpu", "cuda"}
        ``"auto"`` takes a GPU if torch finds one.

    Notes
    -----
    A revision that is on this machine is used as it is: without a commit in `revision`, a newer
    ``main`` is taken only after ``hf download NAME``. No code of a model is executed, and weights
    are read from safetensors only.
    """

    name: str = ""
    revision: str = ""
    sha256: str = ""
    local_files_only: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"

    def folder(self) -> Path:
        """The encoder's folder on this machine; a hub name is downloaded if it may be.

        Raises
        ------
        SettingsError
            If `name` is empty or no possible name, or ``huggingface_hub`` is not installed.
        CheckpointError
            If there is no such folder, the hub cannot be reached or has no such model, there are
            no safetensors, or the content is not that of `sha256`.
        """
        return self._found()[0]

    def _found(self) -> tuple[Path, str]:
        """The folder, and the commit of a hub model; raises as `folder` does."""
        folder, commit = _local_folder(self), ""
        if folder is None:
            folder = _hub_folder(self.name, self.revision or "main", self.local_files_only)
            commit = folder.name  # so the hub's cache names snapshots
        if self.sha256 and encoder_hash(encoder_files(folder)) != self.sha256:
            raise CheckpointError(
                f"The encoder {self.name!r} at {folder} is not the one that the recognizer was "
                f"trained on: its files have another hash than {self.sha256[:16]}. "
                f"{self._how_to_get()}"
            )
        return folder, commit

    def files(self) -> tuple[Path, ...]:
        """The files that determine its output; raises as `folder` does."""
        return encoder_files(self.folder())

    @property
    def reference(self) -> str:
        """Its name for cards: ``NAME@COMMIT`` of the hub, or the path of a folder."""
        folder, commit = self._found()
        return f"{self.name}@{commit}" if commit else str(folder)

    def pinned(self) -> EncoderSource:
        """The same source with the commit and the hash of the files that are used now.

        The place of a local folder is remembered in the cache of this machine, so that a
        checkpoint that knows only name and hash finds it.
        """
        folder, commit = self._found()
        sha256 = encoder_hash(encoder_files(folder))
        if not commit:
            with suppress(StorageError):  # without a cache it is found by its name only
                write_json(_place(sha256), {"folder": str(folder.resolve())})
        return replace(self, revision=commit, sha256=sha256)

    def _how_to_get(self) -> str:
        if self.revision:
            return f"Where there is internet, run `{_download(self.name, self.revision)}`."
        return "Bring back its files, or put them into a folder of that name in $AVER_MODELS."


def encoder_files(folder: Path) -> tuple[Path, ...]:
    """Configuration, preprocessing and weights of an encoder.

    Raises
    ------
    CheckpointError
        If the configuration or weights as safetensors are missing.
    """
    missing = f"{folder} is no folder of a transformers encoder"
    if not (folder / CONFIG_NAME).is_file():
        raise CheckpointError(f"{missing}: {CONFIG_NAME} is missing.")
    weights = [folder / _WEIGHTS]
    if not weights[0].is_file():
        index = folder / _INDEX
        if not index.is_file():
            raise CheckpointError(f"{folder} has no {_WEIGHTS}. {_SAFE_ONLY}")
        try:
            weight_map = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            parts = sorted(set(weight_map.values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise CheckpointError(f"{index} is no index of safetensors.") from None
        weights = [index, *(folder / Path(str(part)).name for part in parts)]
        for part in weights:
            if not part.is_file():
                raise CheckpointError(f"{missing}: {part.name} is missing. Download it again.")
    others = (folder / name for name in _PREPROCESSORS)
    return (folder / CONFIG_NAME, *(path for path in others if path.is_file()), *weights)


def encoder_hash(files: tuple[Path, ...]) -> str:
    """SHA-256 over names and contents; equal for a hub model and a copy of its files."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        content = _file_hash(path.resolve(), status.st_size, status.st_mtime_ns)
        digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _file_hash(path: Path, _size: int, _modified_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hub_snapshot(reference: str) -> Path | None:
    """Folder of a downloaded hub model by ``NAME@COMMIT``; None for any other text.

    Raises
    ------
    CheckpointError
        If it is not on this machine.
    """
    name, at, commit = reference.rpartition("@")
    if not at or not _COMMIT.fullmatch(commit) or Path(reference).expanduser().exists():
        return None
    return _hub_folder(name, commit, True)


def _local_folder(source: EncoderSource) -> Path | None:
    """The folder that the name means; None if it can only be a name on the hub."""
    if not source.name:
        raise SettingsError(
            "The setting 'encoder.name' must name an encoder: a folder, or a name on the Hugging "
            "Face hub such as facebook/hubert-base-ls960."
        )
    given = Path(source.name).expanduser()
    if given.is_dir():
        return given
    models = os.environ.get("AVER_MODELS")
    if models and not given.is_absolute() and (Path(models).expanduser() / given).is_dir():
        return Path(models).expanduser() / given
    if source.sha256:
        with suppress(OSError, ValueError, KeyError, TypeError, StorageError):
            place = json.loads(_place(source.sha256).read_text(encoding="utf-8"))["folder"]
            if last_name(place) == given.name and Path(place).is_dir():
                return Path(place)
    is_path = source.name.startswith((".", "~")) or "\\" in source.name
    if is_path or given.is_absolute() or len(given.parts) > 2:
        raise CheckpointError(f"There is no encoder at {source.name}: no such folder.")
    return None


def _place(digest: str) -> Path:
    return cache_root() / "encoders" / f"{digest}.json"


def _download(name: str, revision: str) -> str:
    flag = f" --revision {revision}" if revision not in ("", "main") else ""
    return f"hf download {name}{flag}"


@lru_cache(maxsize=16)
def _hub_folder(name: str, revision: str, local_files_only: bool) -> Path:
    """The snapshot of a hub model: the one on this machine, else downloaded."""
    try:
        from huggingface_hub import errors, snapshot_download
    except ImportError:
        raise SettingsError(
            f"There is no folder {name!r}, and a model of the Hugging Face hub needs the library "
            "huggingface_hub. Run `pip install 'aver[foundation]'`."
        ) from None
    wanted: Any = [CONFIG_NAME, *_PREPROCESSORS, "model*.safetensors", _INDEX]
    get = _download(name, revision)
    try:
        with suppress(errors.LocalEntryNotFoundError, CheckpointError):
            found = snapshot_download(
                name, revision=revision, allow_patterns=wanted, local_files_only=True
            )
            encoder_files(Path(found))  # a download may have been incomplete
            return Path(found)
        found = snapshot_download(
            name, revision=revision, allow_patterns=wanted, local_files_only=local_files_only
        )
    except errors.HFValidationError:
        raise SettingsError(
            f"There is no folder {name!r}, and it is no possible name on the Hugging Face hub "
            "(OWNER/MODEL)."
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise CheckpointError(
            f"The Hugging Face hub has no model {name!r} with the revision {revision!r}, or does "
            f"not show it without `hf auth login`; and there is no folder of that name."
        ) from None
    except (OSError, errors.HTTPError):
        raise CheckpointError(
            f"The encoder {name!r} (revision {revision}) is not on this machine: there is no "
            f"folder of that name, here or in $AVER_MODELS, and it cannot be downloaded now. Where "
            f"there is internet, run `{get}`; or give the path of a folder as the encoder's name."
        ) from None
    return Path(found)
