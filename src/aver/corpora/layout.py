"""`Layout`: a description of somebody's own folder of clips, in a small YAML or JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from aver.corpora.clip import INTENSITIES, Clip
from aver.emotions import parse_emotion
from aver.errors import CorpusError, LabelError, SettingsError

SHIPPED = Path(__file__).parent / "layouts"
"""Layouts that come with the package, known by their bare names."""

_SEXES = {"female": "female", "f": "female", "male": "male", "m": "male"}
_MAPPINGS = ("labels", "sexes", "intensities")


@dataclass(frozen=True)
class Layout:
    """How to read one folder: names or a table, and what their codes mean.

    Parameters
    ----------
    title, licence, citation, url : str
        For model cards and reports.
    pattern : str
        File names with placeholders, see `aver.corpora.name_pattern.NamePattern`.
    table : str
        Name of a CSV file in the folder, in place of a pattern.
    labels : mapping of str to str
        The folder's codes for emotions to words; without it the codes themselves must be words.
    sexes : mapping of str to str
        Speakers' ids, or the codes that the names hold for sexes, to ``female`` or ``male``.
    intensities : mapping of str to str
        The folder's codes for intensities to words of `aver.corpora.clip.INTENSITIES`.
    """

    title: str = "Clips of one's own"
    licence: str = "as stated by their owner"
    citation: str = "none given"
    url: str = ""
    pattern: str = ""
    table: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    intensities: Mapping[str, str] = field(default_factory=dict)

    def clip(
        self, facts: Mapping[str, str], clip_id: str, video: Path | None, sound: Path | None
    ) -> Clip:
        """Translate the codes of one file or row into a `Clip`.

        Raises
        ------
        LabelError
            If a code is unknown; the message names the clip.
        """
        speaker = facts.get("speaker") or None
        return Clip(
            clip_id=clip_id,
            speaker=speaker,
            emotion=self._emotion(facts.get("emotion", ""), clip_id),
            video=video,
            sound=sound,
            performance=facts.get("performance", ""),
            sex=self._sex(facts.get("sex", ""), speaker, clip_id),
            intensity=_one_of(
                INTENSITIES, "intensity", facts.get("intensity", ""), self.intensities, clip_id
            ),
            sentence=facts.get("sentence") or None,
            take=facts.get("take") or None,
            channel=_one_of(("speech", "song"), "channel", facts.get("channel", ""), {}, clip_id)
            or "speech",
            part=_one_of(
                ("train", "validation", "test"), "part", facts.get("part", ""), {}, clip_id
            ),
        )

    def _emotion(self, code: str, where: str) -> str | None:
        if not code:
            return None
        if not self.labels:
            return parse_emotion(code, where)
        if code not in self.labels:
            raise LabelError(
                f"Unknown emotion code {code!r} in {where}. The labels given are: "
                f"{', '.join(f'{key}={word}' for key, word in self.labels.items())}."
            )
        return parse_emotion(self.labels[code], f"the labels of this corpus ({code!r})")

    def _sex(self, code: str, speaker: str | None, where: str) -> str | None:
        word = self.sexes.get(code, code) if code else self.sexes.get(speaker or "", "")
        if not word:
            return None
        if word.lower() not in _SEXES:
            raise LabelError(f"Unknown sex {word!r} for {where}. Write 'female' or 'male'.")
        return _SEXES[word.lower()]


def _one_of(
    words: tuple[str, ...], what: str, code: str, names: Mapping[str, str], where: str
) -> str | None:
    word = names.get(code, code)
    if not word:
        return None
    if word not in words:
        raise LabelError(f"Unknown {what} {word!r} in {where}. Known are: {', '.join(words)}.")
    return word


def read_layout(path: Path) -> Layout:
    """Read a layout from YAML or JSON.

    Parameters
    ----------
    path : Path
        A file, or the bare name of a layout that comes with the package (``javanese-av``).

    Raises
    ------
    CorpusError
        If there is no such file, or it cannot be read as YAML or JSON.
    SettingsError
        If it holds an unknown key, or a value of the wrong kind.
    """
    if not path.exists() and (SHIPPED / f"{path}.yaml").is_file():
        path = SHIPPED / f"{path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
        # Every scalar stays text: YAML would turn the code 01 into the number 1.
        values: Any = (
            json.loads(text)
            if path.suffix.lower() == ".json"
            else yaml.load(text, Loader=yaml.BaseLoader)
        )
    except OSError as error:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
        raise CorpusError(
            f"The description of a corpus {path} cannot be read: {error.strerror}. Give a YAML or "
            f"JSON file, or one of: {shipped}."
        ) from error
    except (ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CorpusError(f"{path} is not valid YAML or JSON: {reason}.") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path} must hold keys and values, such as 'pattern: ...'.")
    known = [entry.name for entry in fields(Layout)]
    for key, value in values.items():
        if key not in known:
            raise SettingsError(f"{path} has an unknown key {key!r}. Known: {', '.join(known)}.")
        if not isinstance(value, dict if key in _MAPPINGS else str):
            kind = "codes and words" if key in _MAPPINGS else "text"
            raise SettingsError(f"{key!r} in {path} must be {kind}, not {value!r}.")
    return Layout(**values)


def parse_codes(setting: str, text: str | Mapping[str, str]) -> dict[str, str]:
    """Read codes and words from ``"01=neutral,02=sad"``; a mapping passes through.

    Raises
    ------
    SettingsError
        If a piece has no equals sign.

    Examples
    --------
    >>> parse_codes("labels", "01=neutral, 02=sad")
    {'01': 'neutral', '02': 'sad'}
    """
    if not isinstance(text, str):
        return {str(code): str(word) for code, word in text.items()}
    codes: dict[str, str] = {}
    for piece in filter(None, (piece.strip() for piece in text.split(","))):
        code, equals, word = piece.partition("=")
        if not equals:
            raise SettingsError(f"{setting} has {piece!r}. Write codes as '01=neutral,02=sad'.")
        codes[code.strip()] = word.strip()
    return codes
