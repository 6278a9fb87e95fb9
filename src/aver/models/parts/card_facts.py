"""`card_facts`: what every recogniser's card says of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from aver.corpora.clip import Clip
from aver.models.recognizer import Recognizer


def card_facts(
    recognizer: Recognizer, train: Sequence[Clip], validation: Sequence[Clip], seed: int
) -> dict[str, Any]:
    """Facts for the model card, as plain JSON values.

    Parameters
    ----------
    recognizer : Recognizer
        Trained.
    train, validation : sequence of Clip
    seed : int
    """
    return {
        "model": recognizer.name,
        "source": recognizer.source,
        "classes": list(recognizer.classes),
        "speakers": {
            part: sorted({clip.speaker for clip in clips if clip.speaker is not None})
            for part, clips in (("train", train), ("validation", validation))
        },
        "clips": {"train": len(train), "validation": len(validation)},
        "seed": seed,
        "settings": asdict(recognizer.settings),
        "features": {
            modality: {"name": feature.name, "settings": feature.settings()}
            for modality, feature in recognizer.features.items()
        },
    }
