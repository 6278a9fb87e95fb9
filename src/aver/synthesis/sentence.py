"""`Syllable`: what the invented language of the corpus is made of."""

from __future__ import annotations

from dataclasses import dataclass

from aver.synthesis.randomness import generator_for

VOWELS_HZ: dict[str, tuple[float, float, float]] = {
    "iy": (270, 2290, 3010), "ih": (390, 1990, 2550), "eh": (530, 1840, 2480),
    "ae": (660, 1720, 2410), "aa": (730, 1090, 2440), "ao": (570, 840, 2410),
    "uw": (300, 870, 2240),
}  # fmt: skip
"""First three formants of men's vowels, in Hz.

Source: Peterson & Barney, "Control methods used in a study of the vowels", JASA 24 (1952),
Table II.
"""

CONSONANTS: tuple[str, ...] = ("stop", "hiss", "hush", "nasal", "none")
"""Kinds of consonant: silence and a burst, [s], [sh], [m], and none."""


@dataclass(frozen=True)
class Syllable:
    """A consonant of some kind and the vowel after it."""

    consonant: str
    vowel: str


def draw_sentence(seed: int, number: int) -> tuple[Syllable, ...]:
    """The syllables of one of the corpus's sentences; a longer clip says them again.

    Every sentence holds each vowel once, in an order of its own, so that what is said changes a
    clip's average spectrum little.

    Examples
    --------
    >>> len(draw_sentence(0, 1))
    7
    """
    rng = generator_for(seed, "sentence", str(number))
    vowels = rng.permutation(tuple(VOWELS_HZ))
    consonants = rng.permutation((CONSONANTS + CONSONANTS[2:])[: len(vowels)])
    return tuple(map(Syllable, map(str, consonants), map(str, vowels)))
