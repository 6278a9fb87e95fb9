"""`load_encoder`: a `transformers` model and its preprocessing, loaded once per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError

from aver.errors import CheckpointError, SettingsError
from aver.networks.encoder_source import EncoderSource, encoder_files

Layer = int | Literal["mean"]
_INPUTS = {
    "audio": ("input_values", "the waveform", "wav2vec 2.0, HuBERT or WavLM"),
    "image": ("pixel_values", "images", "ViT, CLIP or DINOv2"),
}
"""Name of the input in transformers, and words for messages."""
_UNLOADABLE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError),
    SafetensorError,
)
"""What transformers raises for files that are missing, damaged or of an unknown kind."""


@dataclass(frozen=True, eq=False)
class PretrainedEncoder:
    """A model in evaluation mode, its configuration and what prepares its input.

    Parameters
    ----------
    name : str
        For messages.
    model : transformers.PreTrainedModel
    preprocess : object
        A feature extractor for audio, or an image processor.
    device : str
        ``"cpu"`` or ``"cuda"``.
    has_pooler : bool
        Whether the weights of the model's own pooling, if it has one, came with the others.
    """

    name: str
    model: Any
    preprocess: Any
    device: str
    has_pooler: bool

    def run(self, inputs: Any, **options: Any) -> Any:
        """The model's output for a batch of its main input."""
        import torch

        with torch.inference_mode():
            return self.model(inputs.to(self.device), **options)

    def hidden_states(self, inputs: Any, layer: Layer) -> Any:
        """Run the model and give the states of one layer, or their mean over all layers.

        Parameters
        ----------
        inputs : Tensor
            The model's main input.
        layer : int or "mean"
            0 is the input of the first layer, 1 its output, and -1 the output of the model.
            ``"mean"`` is the mean over the outputs of all layers.

        Returns
        -------
        Tensor [shape=(items, tokens, size)]

        Raises
        ------
        SettingsError
            If the model has no such layer.
        """
        import torch

        output = self.run(inputs, output_hidden_states=True)
        if output.hidden_states is None:
            raise CheckpointError(f"The encoder {self.name} gives no states of its layers.")
        # Some models normalize the output of the last layer once more; that is their output.
        states = (*output.hidden_states[:-1], output.last_hidden_state)
        if layer == "mean":
            return torch.stack(states[1:]).mean(dim=0)
        if not -len(states) <= layer < len(states):
            raise SettingsError(
                f"The setting 'layer' must be from {-len(states)} to {len(states) - 1}, or mean, "
                f"for the encoder {self.name} with {len(states) - 1} layers, not {layer}."
            )
        return states[layer]


def load_encoder(source: EncoderSource, kind: Literal["audio", "image"]) -> PretrainedEncoder:
    """Load an encoder; again only if its files changed.

    Parameters
    ----------
    source : EncoderSource
    kind : {"audio", "image"}
        Which preprocessing it has.

    Raises
    ------
    SettingsError
        If `transformers` is not installed, or there is no GPU although one is asked for.
    CheckpointError
        If the encoder cannot be found, is damaged, or needs code of its own.
    """
    _check_installed()
    folder = source.folder()
    stamps = tuple(
        (path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in encoder_files(folder)
    )
    return _load(source.name, folder, stamps, kind, _device(source.device))


def _check_installed() -> None:
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise SettingsError(
            "Pretrained encoders need the library transformers. "
            "Run `pip install 'aver[foundation]'`."
        ) from None


def _device(wanted: str) -> str:
    import torch

    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise SettingsError(
            "encoder.device is cuda, but torch finds no GPU. Set it to auto or cpu."
        )
    return "cuda" if available and wanted != "cpu" else "cpu"


@lru_cache(maxsize=2)
def _load(
    name: str, folder: Path, _stamps: Any, kind: Literal["audio", "image"], device: str
) -> PretrainedEncoder:
    import transformers

    strict: Any = {"local_files_only": True, "trust_remote_code": False}
    with _quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(folder, **strict)
            _check_own_code(config, name)
            model, found = transformers.AutoModel.from_pretrained(
                folder, config=config, use_safetensors=True, output_loading_info=True, **strict
            )
            if kind == "image":  # CLIP and its kin have a text model beside the one for images
                model = getattr(model, "vision_model", model)
            _check_input(model, kind, name)
            if kind == "audio":
                preprocess = transformers.AutoFeatureExtractor.from_pretrained(folder, **strict)
            else:  # Pillow: torchvision resizes to slightly other values, and may be missing
                preprocess = transformers.AutoImageProcessor.from_pretrained(
                    folder, backend="pil", **strict
                )
        except _UNLOADABLE as error:
            reason = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
            raise CheckpointError(
                f"The encoder {name} cannot be loaded by transformers {transformers.__version__}: "
                f"{reason or type(error).__name__}."
            ) from None
    untrained = frozenset(found["missing_keys"]) - {"masked_spec_embed"}  # is for training only
    for key in sorted(untrained):
        if not key.startswith("pooler."):
            raise CheckpointError(
                f"The encoder {name} has no weights for {key}: they were saved from another "
                "architecture than config.json names."
            )
    return PretrainedEncoder(name, model.eval().to(device), preprocess, device, not untrained)


def _check_input(model: Any, kind: Literal["audio", "image"], name: str) -> None:
    wanted, what, examples = _INPUTS[kind]
    if model.main_input_name != wanted:
        raise CheckpointError(
            f"The encoder {name} ({model.config.model_type}) reads {model.main_input_name}, not "
            f"{what}. Use one such as {examples}."
        )


def _check_own_code(config: Any, name: str) -> None:
    if getattr(config, "auto_map", None):
        raise CheckpointError(
            f"The encoder {name} brings code of its own (auto_map in config.json), which is not "
            "executed. Use an encoder of an architecture that transformers has."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and reports of transformers while a model is loaded."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
