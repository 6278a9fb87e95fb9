"""`deduce_modalities`: the modalities of a system that a corpus has, by its files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aver.corpora.clip import Clip
from aver.corpora.combine import part_of
from aver.corpora.corpus import Corpus
from aver.errors import AverError, SettingsError
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer

FEW = 0.1
"""A modality that a smaller share of the clips has is not used unless it is asked for."""

_PROBED = 10
"""Films whose tracks are looked at, because a file name does not tell whether there is audio."""


def deduce_modalities(
    preset: str, overrides: Mapping[str, Any], corpus: Corpus
) -> tuple[dict[str, Any], str]:
    """Change the modalities of a preset to those that the clips have.

    Modalities that the clips lack are left out. Action units, which are read from files that the
    user names, are added if the system can read them. Nothing changes if the user chose the
    modalities, or if the system has no such setting.

    Parameters
    ----------
    preset : str
        Name or path of a preset.
    overrides : mapping
        Settings that the user changed.
    corpus : Corpus
        With the clips that are used. Of joined corpora, one that has a modality is enough.

    Returns
    -------
    dict
        The overrides, with ``modalities`` if they change.
    str
        One line on what was chosen and why; empty if nothing changes.

    Raises
    ------
    SettingsError
        If the clips have none of the modalities that the system reads.
    """
    changes = dict(overrides)
    model, settings = load_preset(preset, changes)
    if "modalities" in changes or not model.can_choose_modalities():
        return changes, ""
    recognizer = model(settings, FeatureStore())
    counts = count_modalities(corpus, {one.modality for one in recognizer.features.values()})
    chosen, reasons = [], []
    for branch, feature in recognizer.features.items():
        count, enough = counts[feature.modality]
        if enough:
            chosen.append(branch)
        else:
            some = f"{count} of {len(corpus)} clips have" if count else "no clip has"
            reasons.append(f"{some} {_in_words(feature.modality)}")
    given = sum(clip.action_units is not None for clip in corpus)
    if given and "action_units" not in _read(recognizer) and _can_add_units(model, preset, changes):
        chosen.append("action_units")
        reasons.append(f"{given} of {len(corpus)} clips have action units")
    if not chosen:
        raise SettingsError(
            f"The clips have nothing that the preset {preset!r} reads: "
            f"{'; '.join(dict.fromkeys(reasons))}. Name modalities with --modalities, or take "
            "another preset."
        )
    if chosen == list(recognizer.features):
        return changes, ""
    said = f"Modalities: {', '.join(chosen)} ({'; '.join(dict.fromkeys(reasons))})."
    return {**changes, "modalities": chosen}, said


def count_modalities(corpus: Corpus, names: set[str]) -> dict[str, tuple[int, bool]]:
    """Number of clips with each modality, and whether it is worth using."""
    groups: dict[str, list[Clip]] = {}
    for clip in corpus:
        groups.setdefault(part_of(clip.clip_id) if corpus.parts else "", []).append(clip)
    counts = {}
    for name in names:
        found = [(_count(clips, name), len(clips)) for clips in groups.values()]
        enough = any(count and count >= FEW * clips for count, clips in found)
        counts[name] = (sum(count for count, _ in found), enough)
    return counts


def _count(clips: Sequence[Clip], modality: str) -> int:
    """Clips that name a file of the modality; none if the films that were looked at are silent."""
    having = [clip for clip in clips if getattr(clip, modality, None) is not None]
    films = [clip.audio for clip in having if modality == "audio" and clip.audio == clip.video]
    if films and len(films) == len(having) and not _any_with_audio(films):
        return 0
    return len(having)


def _any_with_audio(paths: Sequence[Path | None]) -> bool:
    """Whether some of a few films have an audio track; true for those that cannot be read."""
    from aver.media.media_file import MediaFile

    for path in paths[:: max(1, len(paths) // _PROBED)]:
        try:
            with MediaFile(path or "") as media:
                if media.audio_stream() is not None:
                    return True
        except AverError:  # the extraction says what is wrong with the file
            return True
    return False


def _read(recognizer: Recognizer) -> set[str]:
    return {feature.modality for feature in recognizer.features.values()}


def _can_add_units(model: type[Recognizer], preset: str, changes: Mapping[str, Any]) -> bool:
    """Whether the preset has a branch named after action units."""
    try:
        _, settings = load_preset(preset, {**changes, "modalities": ["action_units"]})
        return _read(model(settings, FeatureStore())) == {"action_units"}
    except AverError:
        return False


def _in_words(modality: str) -> str:
    return modality.replace("_", " ")
