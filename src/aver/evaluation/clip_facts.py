"""`clip_facts`: what a result depends on in a clip, besides its media."""

from __future__ import annotations

from typing import Any

from aver.corpora.clip import Clip


def clip_facts(clip: Clip) -> list[Any]:
    """Id, speaker and every label, as JSON values; not where the files lie.

    Examples
    --------
    >>> clip_facts(Clip("a", "s1", "happy", intensity="strong"))
    ['a', 's1', 'happy', 'strong', {}]
    """
    votes = {perceived: dict(shares) for perceived, shares in clip.votes.items()}
    return [clip.clip_id, clip.speaker, clip.emotion, clip.intensity, votes]
