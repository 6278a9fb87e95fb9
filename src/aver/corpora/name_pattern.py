"""`NamePattern`: file-name patterns such as ``"{speaker}-{sentence}-{emotion}_{take}.mp4"``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from aver.errors import SettingsError

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

_PLACEHOLDER = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class NamePattern:
    """Reads facts about a clip from the path of its file.

    Parameters
    ----------
    text : str
        A path with placeholders in braces: the names in `FIELDS`, ``{_}`` for any text, ``{ext}``
        for any suffix. A placeholder matches at least one character and no slash. A pattern
        without a slash is compared with the name of the file in any folder, one with a slash with
        the whole path below the corpus folder.

    Raises
    ------
    SettingsError
        If a placeholder is unknown or used twice.

    Examples
    --------
    >>> pattern = NamePattern("{speaker}-{sentence}-{emotion}_{take}.mp4")
    >>> pattern.match("06-02-05_01.mp4")
    {'speaker': '06', 'sentence': '02', 'emotion': '05', 'take': '01'}
    >>> pattern.match("notes.txt") is None
    True
    """

    text: str

    def __post_init__(self) -> None:
        named = [OLD_FIELDS.get(name, name) for name in self._placeholders() if name != "_"]
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

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        pieces = _PLACEHOLDER.split(self.text)  # text, name, text, name, ..., text
        expression = ""
        for literal, name in zip(pieces[::2], [*pieces[1::2], None], strict=True):
            expression += re.escape(literal)
            if name == "_":
                expression += "[^/]+?"
            elif name is not None:
                expression += f"(?P<{OLD_FIELDS.get(name, name)}>[^/]+?)"
        return re.compile(expression)

    def match(self, path: str) -> dict[str, str] | None:
        """The fields of a path below the corpus folder; None if it does not match.

        Parameters
        ----------
        path : str
            With forward slashes.
        """
        subject = path if "/" in self.text else PurePosixPath(path).name
        found = self._expression.fullmatch(subject)
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if name != "ext"}
