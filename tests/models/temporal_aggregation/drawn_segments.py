"""Segments of noise, and small networks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from planted_source import PlantedSource
from tiny import tiny

from aver.models.temporal_aggregation.network import TemporalNetwork
from aver.models.temporal_aggregation.recognizer import TemporalAggregation
from aver.models.temporal_aggregation.segments import SegmentBatch

TINY = tiny(TemporalAggregation, PlantedSource()).settings
SHAPES = {"video": (1, 16, 16), "audio": (8,)}


def drawn_batch(clips: int = 5, segments: int = 2, seed: int = 0) -> SegmentBatch:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (clips, segments, 1, 16, 16), generator=generator).byte()
    audio = torch.randn(clips, segments, 1, 8, 8, generator=generator).half()
    everyone = torch.ones(clips, dtype=torch.bool)
    return SegmentBatch(
        {"video": images, "audio": audio},
        torch.zeros(clips, segments, dtype=torch.bool),
        {"video": everyone, "audio": everyone},
        torch.arange(clips) % 4,
    )


def network(**changes: Any) -> TemporalNetwork:
    torch.manual_seed(3)
    return TemporalNetwork(replace(TINY, **changes), SHAPES, 4)
