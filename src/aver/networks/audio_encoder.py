"""`AudioEncoder`: frames of a pretrained encoder of the waveform, for audio of any length."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

import numpy as np

from aver.errors import CheckpointError
from aver.networks.pretrained_encoder import Layer, PretrainedEncoder

RATE_HZ = 16000
_CONTEXT_S = 2.0
"""Audio before and after a window that the encoder hears too, so that frames at the seams have
neighbors: wav2vec 2.0 encodes positions by a convolution over 2.6 s."""


class AudioEncoder:
    """Runs wav2vec 2.0 and its kin: HuBERT, WavLM, data2vec, UniSpeech, SEW.

    Parameters
    ----------
    encoder : PretrainedEncoder

    Attributes
    ----------
    hop : int
        Samples from frame to frame; 320, or 20 ms, in all models named here.
    reach : int
        Samples that a frame is computed from by the convolutions; 400 in most.

    Raises
    ------
    CheckpointError
        If it is no encoder of the waveform at 16 kHz.

    Notes
    -----
    Source: Baevski et al. (2020), "wav2vec 2.0: A framework for self-supervised learning of speech
    representations", section 2; `transformers`.
    """

    def __init__(self, encoder: PretrainedEncoder) -> None:
        self._encoder = encoder
        config, preprocess = encoder.model.config, encoder.preprocess
        kernels, strides = (getattr(config, name, None) for name in ("conv_kernel", "conv_stride"))
        if not kernels or not strides:
            raise CheckpointError(
                f"The encoder {encoder.name} ({config.model_type}) does not read the waveform by "
                "convolutions. Use one such as wav2vec 2.0, HuBERT or WavLM."
            )
        if preprocess.sampling_rate != RATE_HZ:
            raise CheckpointError(
                f"The encoder {encoder.name} reads audio at {preprocess.sampling_rate} Hz; "
                f"only {RATE_HZ} Hz is supported."
            )
        self.hop, self.reach = int(np.prod(strides)), 1
        for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
            self.reach = (self.reach - 1) * stride + kernel

    def count(self, samples: int) -> int:
        """Frames of that many samples; 0 if they are fewer than one frame needs."""
        return max(0, (samples - self.reach) // self.hop + 1)

    def times_s(self, samples: int) -> np.ndarray:
        """Centers of the frames: float64 (frames,), in seconds."""
        return (np.arange(self.count(samples)) * self.hop + self.reach / 2) / RATE_HZ

    def frames(
        self, samples: np.ndarray, layer: Layer, window_s: float
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Encode audio, window by window.

        Parameters
        ----------
        samples : np.ndarray [shape=(samples,), dtype=float32]
            At 16 kHz.
        layer : int or "mean"
            See `PretrainedEncoder.hidden_states`.
        window_s : float > 0
            Maximum number of seconds in a window. Each is encoded with 2 s before and after it.

        Yields
        ------
        slice
            Numbers of the window's frames.
        np.ndarray [shape=(frames of the window, size), dtype=float32]
        """
        import torch

        total = self.count(samples.size)
        if total == 0:
            return
        prepared: Any = self._encoder.preprocess(
            samples, sampling_rate=RATE_HZ, return_tensors="np", padding=False
        )
        values = np.array(prepared["input_values"][0], dtype=np.float32)
        context = round(_CONTEXT_S * RATE_HZ / self.hop)
        per_window = max(1, int(window_s * RATE_HZ / self.hop))
        bounds = np.linspace(0, total, ceil(total / per_window) + 1).round().astype(int)
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            start, stop = max(0, first - context), min(total, last + context)
            part = values[start * self.hop : (stop - 1) * self.hop + self.reach]
            states = self._encoder.hidden_states(torch.from_numpy(part)[None], layer)[0]
            if len(states) < stop - start:
                raise CheckpointError(
                    f"The encoder {self._encoder.name} gives {len(states)} frames where its "
                    f"convolutions give {stop - start}."
                )
            yield slice(first, last), states[first - start : last - start].float().cpu().numpy()
