"""`divide_voices`: who is heard in training, who chooses the epoch, who is kept for the test."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, SettingsError, SplitError
from aver.pretraining.voice_settings import VoiceSettings
from aver.splits import make_split
from aver.splits.split import Split
from aver.training.seeding import derived_seed

_LEAST_SPEAKERS = 4  # so that the first of three groups holds two
_SPEAKERS_FOR_FOLDS = 10


def check_labels(corpus: Corpus, target: str) -> None:
    """Raise LabelError if a clip does not say what is to be learnt from it.

    Speakers must always be known, for they keep training and test apart.
    """
    for clip in corpus:
        if clip.speaker is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no speaker. Voices are taught and "
                "verified by speakers: name them in the pattern or table, or use one folder each."
            )
        if target == "emotion" and clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no emotion. Teach speakers by it "
                "(--target speaker)."
            )


def split_voices(corpus: Corpus) -> Split:
    """Speakers apart, at least two of them to be verified.

    Five folds from ten speakers on, three below; the first counts.

    Raises
    ------
    SplitError
        If there are fewer than four speakers.
    """
    count = len(corpus.speakers)
    if count < _LEAST_SPEAKERS:
        raise SplitError(
            f"{corpus.label} has {count} speakers. To teach some and verify others there must be "
            f"at least {_LEAST_SPEAKERS}."
        )
    return make_split(corpus, "speaker-kfold", folds=5 if count >= _SPEAKERS_FOR_FOLDS else 3)


def divide_voices(
    clips: Sequence[Clip], split: Split, settings: VoiceSettings, seed: int
) -> dict[str, list[Clip]]:
    """Clips to learn from, to choose by and to test with.

    Parameters
    ----------
    clips : sequence of Clip
        Those that can be used.
    split : Split
        Its first fold counts.
    settings : VoiceSettings
        Where speakers are taught, those of training and validation are taught together, and a
        share of each one's clips validates.
    seed : int

    Raises
    ------
    SettingsError
        If training and test share speakers, nothing is left to choose the epoch by, there are not
        two classes to learn, or no two clips of one speaker are left to test with.
    """
    usable = {clip.clip_id: clip for clip in clips}
    parts = {
        part: [usable[name] for name in names if name in usable]
        for part, names in split.folds[0].parts().items()
    }
    heard = {str(clip.speaker) for clip in parts["train"] + parts["validation"]}
    if heard & {str(clip.speaker) for clip in parts["test"]}:
        raise SettingsError(
            f"The split {split.rule!r} has speakers in training and in test; an equal error rate "
            "on them would say nothing. Use speaker-kfold."
        )
    if settings.target == "speaker":
        parts = _by_share(parts, settings.validation_share, seed)
    for part, words in (("train", "to learn from"), ("validation", "to choose the epoch by")):
        if not parts[part]:
            raise SettingsError(
                f"No usable clip is left {words}. Speakers need two clips each, and emotions "
                "speakers for both."
            )
    taught = {str(getattr(clip, settings.target)) for clip in parts["train"]}
    if len(taught) < 2:
        raise SettingsError(
            f"All usable clips to learn from are of one {settings.target}, {next(iter(taught))}; "
            "a network needs at least two."
        )
    check_pairs(parts["test"], "the speakers kept for the test")
    return parts


def check_pairs(clips: Sequence[Clip], whose: str) -> None:
    """Raise SettingsError if an equal error rate cannot be told, before anything is learnt.

    Parameters
    ----------
    clips : sequence of Clip
        Those in which something is to be heard.
    whose : str
        For the message.
    """
    counts = Counter(str(clip.speaker) for clip in clips)
    if len(counts) < 2 or max(counts.values()) < 2:
        raise SettingsError(
            f"Of {whose}, {len(counts)} speakers with {len(clips)} clips can be used. An equal "
            "error rate needs two clips of one of them, and one of another."
        )


def classes_of(parts: dict[str, list[Clip]], target: str) -> tuple[str, ...]:
    """Speakers, or emotions, of the clips to learn from and to choose by."""
    words = {str(getattr(clip, target)) for clip in parts["train"] + parts["validation"]}
    return in_canonical_order(words) if target == "emotion" else tuple(sorted(words))


def _by_share(parts: dict[str, list[Clip]], share: float, seed: int) -> dict[str, list[Clip]]:
    """The same speakers in training and validation; one with a single clip is only taught."""
    rng = np.random.default_rng(derived_seed(seed, "voices"))
    by_speaker: dict[str, list[Clip]] = defaultdict(list)
    for clip in parts["train"] + parts["validation"]:
        by_speaker[str(clip.speaker)].append(clip)
    train, validation = [], []
    for clips in by_speaker.values():
        order = rng.permutation(len(clips))
        held_out = min(len(clips) - 1, max(1, round(share * len(clips))))
        validation += [clips[i] for i in order[:held_out]]
        train += [clips[i] for i in order[held_out:]]
    return {"train": train, "validation": validation, "test": parts["test"]}
