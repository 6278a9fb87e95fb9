"""`score_voices`: what a voice network knows of speakers that it never heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from aver.corpora.clip import Clip
from aver.evaluation.intervals import binomial_interval
from aver.pretraining.equal_error_rate import equal_error_rate, error_rate_interval
from aver.pretraining.voice_task import LabelledVoices, VoiceTask


def error_rate(task: VoiceTask, test: LabelledVoices, clips: Sequence[Clip]) -> float:
    """Of the network as it stands; before training it tells what sound alone gives away."""
    speakers = [str(clip.speaker) for clip in clips]
    return equal_error_rate(task.embed(test.clips).numpy(), speakers)


@torch.no_grad()
def score_voices(
    task: VoiceTask, test: LabelledVoices, clips: Sequence[Clip], target: str
) -> dict[str, Any]:
    """Equal error rate among speakers never heard; where emotions were taught, accuracy too.

    The rate's interval is over speakers, None where there are fewer than three; that of accuracy
    is exact over clips.
    """
    embeddings = task.embed(test.clips)
    speakers = [str(clip.speaker) for clip in clips]
    spread = error_rate_interval(embeddings.numpy(), speakers) or (None, None)
    found: dict[str, Any] = {
        "equal_error_rate": equal_error_rate(embeddings.numpy(), speakers),
        "equal_error_rate_low": spread[0],
        "equal_error_rate_high": spread[1],
        "unseen_speakers": len(set(speakers)),
        "clips": len(clips),
    }
    if target == "emotion":
        right = task.network.fc(embeddings).argmax(dim=1) == test.labels
        hits, count = int(right.sum()), len(right)
        low, high = binomial_interval(hits, count)
        found |= {"accuracy": hits / count, "low": low, "high": high}
    return found
