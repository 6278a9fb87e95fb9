"""`NamePattern`: file-name patterns such as ``"{speaker}-{sentence}-{emotion}_{take}.mp4"``."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from aver.errors import SettingsError
from aver.execution.files import composed

FIELDS = (
    "speaker",
    "emotion",
    "sentence",
    "take",
    "intensity",
    "sex",
    "channel",
    "performance",
    "subset",
)
"""What a pattern or a table can give of a clip, besides its files."""

OLD_FIELDS = {"part": "subset"}
"""Fields of version 0.1 to today's names."""

_PLACEHOLDER = re.compile(r"\{(\w*(?::\w*)?)\}")
_KINDS = "a width such as {speaker:2}, digits as {take:d}, or one of the labels as {emotion:label}"


@dataclass(frozen=True)
class NamePattern:
    """Reads facts about a clip from the path of its file.

    Parameters
    ----------
    text : str
        A path with placeholders in braces: the names in `FIELDS`, ``{_}`` for any text, ``{ext}``
        for any suffix. A placeholder matches at least one character and no slash. A pattern
        without a slash is compared with the name of the file in any folder, one with a slash with
        the whole path below the corpus folder. ``{speaker:2}`` is exactly two characters,
        ``{take:d}`` one or more digits, ``{emotion:label}`` one of `labels`.
    labels : collection of str
        The codes for emotions. ``{emotion}`` tries them first, and matches any other text if no
        code fits; ``{emotion:label}`` matches nothing else.

    Raises
    ------
    SettingsError
        If a placeholder is unknown or used twice, its width or kind is unknown, or
        ``{emotion:label}`` is used without labels.

    Examples
    --------
    >>> pattern = NamePattern("{speaker}-{sentence}-{emotion}_{take}.mp4")
    >>> pattern.match("06-02-05_01.mp4")
    {'speaker': '06', 'sentence': '02', 'emotion': '05', 'take': '01'}
    >>> pattern.match("notes.txt") is None
    True
    >>> NamePattern("{speaker}_{emotion}{take}.wav", labels=("s", "sa")).match("DC_sa01.wav")
    {'speaker': 'DC', 'emotion': 'sa', 'take': '01'}
    """

    text: str
    labels: Collection[str] = ()

    def __post_init__(self) -> None:
        for placeholder in self._placeholders():
            self._check_kind(placeholder)
        names = [placeholder.partition(":")[0] for placeholder in self._placeholders()]
        named = [OLD_FIELDS.get(name, name) for name in names if name != "_"]
        for name in named:
            if name not in (*FIELDS, "ext"):
                raise SettingsError(
                    f"Unknown placeholder {{{name}}} in the pattern {self.text!r}. Use one of: "
                    f"{', '.join(f'{{{field}}}' for field in (*FIELDS, 'ext', '_'))}."
                )
            if named.count(name) > 1:
                raise SettingsError(
                    f"The placeholder {{{name}}} is in the pattern {self.text!r} twice. Use {{_}} "
                    "for parts of the name that repeat."
                )

    def _placeholders(self) -> list[str]:
        return _PLACEHOLDER.findall(self.text)

    def _check_kind(self, placeholder: str) -> None:
        name, colon, kind = placeholder.partition(":")
        if not colon or kind == "d" or re.fullmatch("[1-9][0-9]{0,2}", kind):
            return
        if kind != "label" or name != "emotion":
            raise SettingsError(
                f"The placeholder {{{placeholder}}} in the pattern {self.text!r} has the unknown "
                f"kind {kind!r}. Use {_KINDS}."
            )
        if not self.labels:
            raise SettingsError(
                f"The pattern {self.text!r} has {{emotion:label}}, but no labels are given. Give "
                "them, such as labels='a=angry,sa=sad'."
            )

    def _piece(self, kind: str, emotion: bool, strict: bool) -> str:
        """The expression for the text of one placeholder."""
        if kind == "label" or (emotion and strict and self.labels and not kind):
            # Longest first: "sa" is sad, although "s" may be a code as well.
            codes = sorted(map(composed, self.labels), key=len, reverse=True)
            return "|".join(map(re.escape, codes))
        if kind == "d":
            return "[0-9]+"
        return f"[^/]{{{kind}}}" if kind else "[^/]+?"

    @cached_property
    def _expressions(self) -> tuple[re.Pattern[str], ...]:
        """With the emotion as one of the labels, then as any text."""
        pieces = _PLACEHOLDER.split(composed(self.text))  # text, name, text, name, ..., text
        expressions = []
        for strict in (True, False):
            expression = ""
            for literal, placeholder in zip(pieces[::2], [*pieces[1::2], None], strict=True):
                expression += re.escape(literal)
                if placeholder is None:
                    continue
                name, _, kind = placeholder.partition(":")
                piece = self._piece(kind, name == "emotion", strict)
                group = "?:" if name == "_" else f"?P<{OLD_FIELDS.get(name, name)}>"
                expression += f"({group}{piece})"
            expressions.append(re.compile(expression))
        return tuple(expressions)

    def match(self, path: str) -> dict[str, str] | None:
        """The fields of a path below the corpus folder; None if it does not match.

        Parameters
        ----------
        path : str
            With forward slashes.
        """
        subject = composed(path if "/" in self.text else PurePosixPath(path).name)
        matches = (expression.fullmatch(subject) for expression in self._expressions)
        found = next((match for match in matches if match), None)
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if name != "ext"}
