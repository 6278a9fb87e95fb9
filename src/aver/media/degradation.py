"""`Degradation`: a way in which media get worse, and how far; `DEGRADATIONS` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aver.errors import SettingsError

Level = float | str
"""How far: a number in the degradation's unit, or the name of a modality."""


@dataclass(frozen=True)
class Degradation:
    """One kind of damage.

    Parameters
    ----------
    name : str
    title : str
        For headings.
    along : str
        What its levels are, with the unit.
    touches : {"sound", "video", "any"}
        Systems that do not look at this are not affected; ``"any"``: one modality among several.
    levels : tuple of float or str
        The usual ones, from little damage to much.
    none : float or None
        The level that means no damage, where there is one.
    """

    name: str
    title: str
    along: str
    touches: Literal["sound", "video", "any"]
    levels: tuple[Level, ...]
    none: float | None = None

    def read_level(self, word: str) -> Level:
        """A level as somebody types it.

        Raises
        ------
        SettingsError
            If it is none.

        Examples
        --------
        >>> degradation("blur").read_level("1.5")
        1.5
        """
        if self.name == "lost-modality":
            if word in self.levels:
                return word
            known = ", ".join(map(str, self.levels))
            raise SettingsError(f"{self.name} has no level {word!r}. Choose among {known}.")
        try:
            level = float(word)
        except ValueError:
            raise SettingsError(f"A level of {self.name} is a number, not {word!r}.") from None
        lowest, highest = _RANGES[self.name]
        if not lowest <= level <= highest:
            raise SettingsError(
                f"A level of {self.name} ({self.along}) lies between {lowest:g} and {highest:g}; "
                f"{level:g} does not."
            )
        return level


_RANGES = {
    "white-noise": (-60.0, 100.0),
    "babble": (-60.0, 100.0),
    "blur": (0.0, 50.0),
    "low-light": (0.0, 16.0),
    "occlusion": (0.0, 100.0),
    "dropped-frames": (0.0, 100.0),
    "offset": (-10.0, 10.0),
}

_SNR = "signal-to-noise ratio in dB"
_SNR_LEVELS_DB = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)

DEGRADATIONS = (
    Degradation("white-noise", "White noise in the sound", _SNR, "sound", _SNR_LEVELS_DB),
    Degradation("babble", "Babble of other clips in the sound", _SNR, "sound", _SNR_LEVELS_DB),
    Degradation(
        "blur",
        "Blurred pictures",
        "standard deviation of the blur in % of the picture's height",
        "video",
        (0.5, 1.0, 2.0, 4.0),
        none=0.0,
    ),
    Degradation(
        "low-light",
        "Little light",
        "stops of light missing (each halves it)",
        "video",
        (1.0, 2.0, 4.0, 6.0),
        none=0.0,
    ),
    Degradation(
        "occlusion",
        "Face covered from the chin up",
        "share of the face covered in %",
        "video",
        (25.0, 50.0, 75.0),
        none=0.0,
    ),
    Degradation(
        "dropped-frames",
        "Dropped frames (the last one stays on display)",
        "share of the frames dropped in %",
        "video",
        (25.0, 50.0, 75.0, 90.0),
        none=0.0,
    ),
    Degradation(
        "lost-modality", "One modality lost", "modality lost", "any", ("sound", "video", "units")
    ),
    Degradation(
        "offset",
        "Sound and picture apart",
        "sound taken later than the picture, in s",
        "sound",
        (-1.0, -0.5, -0.2, -0.1, 0.1, 0.2, 0.5, 1.0),
        none=0.0,
    ),
)
"""All kinds, in the order of reports."""


def degradation(name: str) -> Degradation:
    """The kind of this name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    for kind in DEGRADATIONS:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in DEGRADATIONS)
    raise SettingsError(f"There is no degradation {name!r}. Choose among {known}.")
