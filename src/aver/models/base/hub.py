"""Recognizers on the Hugging Face Hub: saved, uploaded and downloaded by huggingface_hub's mixin.

Needs the extra ``aver[hub]``. Files that are here already are used without the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from aver.errors import CheckpointError, SettingsError
from aver.execution.files import write_json
from aver.models.base.checkpoint import FACTS_NAME
from aver.models.base.hub_card import write_readme
from aver.version import __version__

CONFIG_NAME = "config.json"
"""Written for the Hub, which counts downloads by it; `recognizer.json` is what is read."""

_PREFIX = re.compile(r"^hf:/{1,2}")  # a Path keeps one of two slashes
_FILES = ("*.json", "*.safetensors", "*.md", "*.onnx", "*.dat", "members/**", "files/**")


class Savable(Protocol):
    """What is uploaded: a trained recognizer."""

    def save(self, folder: Path) -> None:
        """Write the checkpoint."""
        ...

    @property
    def card(self) -> Mapping[str, Any]:
        """Facts for the model card."""
        ...


def save_pretrained(recognizer: Savable, folder: str | Path, **options: Any) -> None:
    """Write a checkpoint with a README and a ``config.json``, ready to upload.

    Parameters
    ----------
    recognizer : Recognizer
        Trained.
    folder : str or Path
    options
        Of ``huggingface_hub.ModelHubMixin.save_pretrained``, such as ``push_to_hub=True``.

    Raises
    ------
    SettingsError
        If huggingface_hub is not installed, or the recognizer has not been trained.
    """
    with _clear_errors(str(folder), "saved"):
        _mixin()(recognizer).save_pretrained(folder, **options)


def push_to_hub(recognizer: Savable, repository: str, **options: Any) -> str:
    """Upload a recognizer with its card; returns the address of the commit.

    Parameters
    ----------
    recognizer : Recognizer
        Trained.
    repository : str
        ``"user/name"``; made if it does not exist.
    options
        Of ``huggingface_hub.ModelHubMixin.push_to_hub``, such as ``private=True``. Log in with
        ``hf auth login`` or give ``token``.

    Raises
    ------
    SettingsError
        If huggingface_hub is not installed, or the recognizer has not been trained.
    CheckpointError
        If the Hub cannot be reached or refuses.
    """
    with _clear_errors(repository, "uploaded"):
        return str(_mixin()(recognizer).push_to_hub(repository, **options))


def is_on_hub(name: str | Path) -> bool:
    """Whether ``hf://user/name`` is written.

    Examples
    --------
    >>> is_on_hub("hf://user/name"), is_on_hub(Path("hf://user/name")), is_on_hub("user/name")
    (True, True, False)
    """
    return bool(_PREFIX.match(str(name)))


def hub_folder(name: str | Path, **options: Any) -> Path:
    """The folder of a recognizer on this machine, downloaded if it is not here.

    Parameters
    ----------
    name : str or Path
        ``"hf://user/name"``, ``"hf://user/name@revision"``, ``"user/name"``, or a folder that
        `save_pretrained` wrote.
    options
        Of ``huggingface_hub.ModelHubMixin.from_pretrained``: ``revision``, ``local_files_only``,
        ``cache_dir``, ``token``, ``force_download``.

    Raises
    ------
    SettingsError
        If huggingface_hub is not installed, or this is no possible name.
    CheckpointError
        If there is no such recognizer, or the Hub cannot be reached.
    """
    text = _PREFIX.sub("", str(name))
    if not is_on_hub(name) and Path(text).expanduser().is_dir():
        return Path(text).expanduser()
    repository, _, revision = text.partition("@")
    if revision:
        options.setdefault("revision", revision)
    with _clear_errors(repository, "loaded"):
        found: Path = _mixin().from_pretrained(repository, **options).folder
    if not (found / FACTS_NAME).is_file():
        raise CheckpointError(
            f"{repository} on the Hugging Face Hub is no recognizer of aver: it has no "
            f"{FACTS_NAME}."
        )
    return found


@cache
def _mixin() -> Any:
    """The class that huggingface_hub saves, uploads and downloads."""
    try:
        from huggingface_hub import ModelHubMixin, snapshot_download
    except ImportError:
        raise SettingsError(
            "The Hugging Face Hub needs the library huggingface_hub. Run `pip install 'aver[hub]'`."
        ) from None

    class OnHub(ModelHubMixin, library_name="aver"):  # type: ignore[call-arg,unused-ignore]
        """A recognizer to save, or the folder of a downloaded one."""

        def __init__(self, recognizer: Savable | None = None, folder: Path | None = None) -> None:
            self.recognizer, self.folder = recognizer, folder

        def _save_pretrained(self, save_directory: Path) -> None:
            assert self.recognizer is not None
            self.recognizer.save(save_directory)
            write_readme(save_directory)
            model = str(self.recognizer.card.get("model", ""))
            config = {"library_name": "aver", "aver_version": __version__, "model": model}
            write_json(save_directory / CONFIG_NAME, config)

        @classmethod
        def _from_pretrained(cls, *, model_id: str, **options: Any) -> Any:
            options.pop("library_name", None)
            kept = ("revision", "cache_dir", "force_download", "local_files_only", "token")
            chosen: dict[str, Any] = {name: options[name] for name in kept if name in options}
            found = snapshot_download(model_id, allow_patterns=list(_FILES), **chosen)
            return cls(folder=Path(found))

    return OnHub


@contextmanager
def _clear_errors(name: str, done: str) -> Iterator[None]:
    """What huggingface_hub raises, as one clear line."""
    try:
        from huggingface_hub import errors
    except ImportError:
        raise SettingsError(
            "The Hugging Face Hub needs the library huggingface_hub. Run `pip install 'aver[hub]'`."
        ) from None
    try:
        yield
    except errors.HFValidationError:
        raise SettingsError(
            f"{name!r} is no possible name on the Hugging Face Hub. Write user/name."
        ) from None
    except errors.LocalEntryNotFoundError:
        raise CheckpointError(
            f"{name} cannot be {done}: it is not on this machine, and the Hugging Face Hub cannot "
            f"be reached or was not asked (local_files_only, HF_HUB_OFFLINE). Where there is "
            f"internet, run `hf download {name}`; or give the path of a folder."
        ) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError):
        raise CheckpointError(
            f"{name} cannot be {done}: the Hugging Face Hub has no such model or revision, or does "
            "not show it without `hf auth login`."
        ) from None
    except errors.LocalTokenNotFoundError:
        raise CheckpointError(
            f"{name} cannot be {done} without an account. Run `hf auth login`, or give a token."
        ) from None
    except (OSError, errors.HTTPError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise CheckpointError(
            f"{name} cannot be {done}: the Hugging Face Hub cannot be reached, or refuses "
            f"({type(error).__name__}: {reason})."
        ) from None
