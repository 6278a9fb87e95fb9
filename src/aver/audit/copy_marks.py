"""Marks in file names that say: an augmented copy, or a piece, of another recording."""

from __future__ import annotations

import re

_SOUND_WORDS = (
    "noise|noised|noisy|babble|music|reverb|rir|awgn|gauss|gaussian|snr|pitch|pitched|pitchshift|"
    "speed|tempo|stretch|stretched|timestretch|shift|shifted|timeshift|gain|volume|vol|specaug|"
    "vtlp|mask|lowpass|highpass"
)
_PICTURE_WORDS = (
    "flip|flipped|hflip|vflip|mirror|mirrored|crop|cropped|rot|rotate|rotated|blur|"
    "blurred|bright|brightness|contrast|jitter|zoom|cutout|mixup"
)
_COPY_WORDS = "aug|augment|augmented|augmentation|copy|dup|duplicate"
_PIECE_WORDS = "seg|segment|chunk|slice|piece|part|frame|window"
# Words that belong to the one behind them (_time_stretch, _white_noise) or before (_pitch_up).
_BEFORE = (
    "time|white|pink|brown|background|bg|add|added|additive|random|horizontal|vertical|center|"
    "centre|color|colour|freq|frequency"
)
_AFTER = "up|down|left|right"
_NUMBER = r"(?:[_\-.~ ]*[+\-]?\d+(?:\.\d+)?(?:db|hz|khz|ms|s|x|st|pct|deg)?)"

# A word behind a separator, with numbers behind it: _aug1, -noise_snr10db, _seg003, _flip.
_MARK = re.compile(
    rf"(?:[_\-.~ ]+(?:{_BEFORE}))?"
    rf"[_\-.~ ]+(?:{_SOUND_WORDS}|{_PICTURE_WORDS}|{_COPY_WORDS}|{_PIECE_WORDS})"
    rf"(?:[_\-.~ ]*(?:{_AFTER}))?{_NUMBER}*$",
    re.IGNORECASE,
)
_COPY_NUMBER = re.compile(r" ?\(\d{1,2}\)$")  # as file managers name a copy
_TIMES = re.compile(r"[_\-]\d+\.\d+[_\-]\d+\.\d+$")  # from-to in seconds
# Kaldi's perturbed copies.
_SPEED = re.compile(r"^(?:sp|pv)\d\.\d+-|[_\-]sp\d\.\d+$", re.IGNORECASE)


def strip_copy_marks(stem: str) -> tuple[str, bool]:
    """Take marks of augmentation and cutting off a file's name.

    Parameters
    ----------
    stem : str
        Name without folder and suffix.

    Returns
    -------
    str
        The name that the original would have; never empty.
    bool
        Whether there was a mark.

    Examples
    --------
    >>> strip_copy_marks("1001_DFA_ANG_XX_noise_10db")
    ('1001_DFA_ANG_XX', True)
    >>> strip_copy_marks("sp0.9-s1_an_1_seg003")
    ('s1_an_1', True)
    >>> strip_copy_marks("03-01-05-01-02-01-12")
    ('03-01-05-01-02-01-12', False)
    """
    found = False
    while True:
        shorter = stem
        for mark in (_MARK, _COPY_NUMBER, _TIMES, _SPEED):
            shorter = mark.sub("", shorter) or shorter
        if shorter == stem:
            return stem, found
        stem, found = shorter, True
