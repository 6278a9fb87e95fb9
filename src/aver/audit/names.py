"""`describe_name`: speaker, sentence and label of a clip, read from its name in a list.

Knows the file names of public corpora, the words for subsets and folds, and the marks that
augmentation and cutting leave in names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from aver.corpora.emodb import EmoDB
from aver.corpora.name_pattern import NamePattern
from aver.emotions import EMOTIONS, parse_emotion
from aver.errors import LabelError


@dataclass(frozen=True)
class Entry:
    """What is known about one clip of a list.

    Parameters
    ----------
    name : str
        The clip's name in the list: an id or a path. Equal names are the same clip.
    recording : str
        The performance of which the clip is a file, a copy or a piece.
    derived : bool
        Whether the name marks an augmented copy or a piece.
    speaker, sentence, emotion, sex : str or None
        None if unknown.
    path : str
        The path of the file in the list; equals `name` in plain lists of files.
    """

    name: str
    recording: str
    derived: bool = False
    speaker: str | None = None
    sentence: str | None = None
    emotion: str | None = None
    sex: str | None = None
    path: str = ""


_SUBSET_WORDS = {
    "train": "train", "training": "train", "trn": "train", "tr": "train",
    "trainval": "train", "traindev": "train",  # both are used for training in the end
    "validation": "validation", "valid": "validation", "val": "validation", "vld": "validation",
    "dev": "validation", "devel": "validation", "development": "validation",
    "publictest": "validation",  # FER2013
    "test": "test", "testing": "test", "tst": "test", "tt": "test", "eval": "test",
    "evaluation": "test", "privatetest": "test",
}  # fmt: skip
_FOLD = re.compile(r"(?:fold|split|session|cv)[ _\-]?0*(\d+)", re.IGNORECASE)


def subset_of_word(word: str) -> str | None:
    """The subset that a whole cell or folder name means; None if it means none.

    Examples
    --------
    >>> subset_of_word("Dev"), subset_of_word("speaker 3")
    ('validation', None)
    """
    return _SUBSET_WORDS.get(word.strip().lower())


def subset_in_name(name: str) -> str | None:
    """The subset that a file or folder name contains; None if it contains none or two.

    Examples
    --------
    >>> subset_in_name("ravdess_train_fold_1"), subset_in_name("test2_list")
    ('train', 'test')
    """
    words = re.split(r"[^A-Za-z]+", name)
    found = {_SUBSET_WORDS[word.lower()] for word in words if word.lower() in _SUBSET_WORDS}
    return found.pop() if len(found) == 1 else None


def fold_in_name(name: str) -> int | None:
    """The number of the fold that a name contains; None if it contains none.

    Examples
    --------
    >>> fold_in_name("ravdess_train_fold_2"), fold_in_name("train")
    (2, None)
    """
    match = _FOLD.search(name)
    return int(match[1]) if match else None


_AUDIO_WORDS = (
    "noise|noised|noisy|babble|music|reverb|rir|awgn|gauss|gaussian|snr|pitch|pitched|pitchshift|"
    "speed|tempo|stretch|stretched|timestretch|shift|shifted|timeshift|gain|volume|vol|specaug|"
    "vtlp|mask|lowpass|highpass"
)
_IMAGE_WORDS = (
    "flip|flipped|hflip|vflip|mirror|mirrored|crop|cropped|rot|rotate|rotated|blur|"
    "blurred|bright|brightness|contrast|jitter|zoom|cutout|mixup"
)
_COPY_WORDS = "aug|augment|augmented|augmentation|copy|dup|duplicate"
_PIECE_WORDS = "seg|segment|chunk|slice|piece|part|frame|window"
# Words that go with the next word (_time_stretch, _white_noise) or the previous one (_pitch_up).
_BEFORE = (
    "time|white|pink|brown|background|bg|add|added|additive|random|horizontal|vertical|center|"
    "centre|color|colour|freq|frequency"  # codespell:ignore
)
_AFTER = "up|down|left|right"
_NUMBER = r"(?:[_\-.~ ]*[+\-]?\d+(?:\.\d+)?(?:db|hz|khz|ms|s|x|st|pct|deg)?)"

# A word after a separator, with numbers after it: _aug1, -noise_snr10db, _seg003, _flip.
_MARK = re.compile(
    rf"(?:[_\-.~ ]+(?:{_BEFORE}))?"
    rf"[_\-.~ ]+(?:{_AUDIO_WORDS}|{_IMAGE_WORDS}|{_COPY_WORDS}|{_PIECE_WORDS})"
    rf"(?:[_\-.~ ]*(?:{_AFTER}))?{_NUMBER}*$",
    re.IGNORECASE,
)
_COPY_NUMBER = re.compile(r" ?\(\d{1,2}\)$")  # the copies of file managers
_TIMES = re.compile(r"[_\-]\d+\.\d+[_\-]\d+\.\d+$")  # from-to in seconds
# speed-perturbed copies of Kaldi
_SPEED = re.compile(r"^(?:sp|pv)\d\.\d+-|[_\-]sp\d\.\d+$", re.IGNORECASE)


def strip_copy_marks(stem: str) -> tuple[str, bool]:
    """Remove the marks of augmentation and cutting from a file name.

    Parameters
    ----------
    stem : str
        Name without folder and suffix.

    Returns
    -------
    str
        The name of the original; never empty.
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


Facts = dict[str, str | None]

_RUNNING_NUMBER = re.compile(r"[A-Za-z]*[_\- ]?\d+")
_SEXES = {
    **dict.fromkeys(("f", "w", "woman", "women", "girl", "fem"), "female"),
    **dict.fromkeys(("m", "man", "men", "boy", "masc"), "male"),
}
_TRAILING_WORDS = re.compile(r"(?:[_.\-][A-Za-z][\w.\-]*)?")  # added by tools: _faces, _croppad
_MEDIA_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def _ravdess(match: re.Match[str]) -> Facts:
    """Livingstone & Russo (2018), "Filename identifiers"; even actors are female."""
    emotion = int(match["emotion"])
    return {
        "recording": match["fields"],
        "speaker": match["speaker"],
        "sentence": match["sentence"],
        "emotion": EMOTIONS[emotion - 1] if 1 <= emotion <= len(EMOTIONS) else None,
        "sex": "male" if int(match["speaker"]) % 2 else "female",
    }


def _cremad(match: re.Match[str]) -> Facts:
    """Cao et al. (2014); one clip was published with one X at its end instead of two."""
    level = match["level"]
    return {
        "recording": "_".join((*match.group(1, 2, 3), "XX" if level == "X" else level)),
        "speaker": match["speaker"],
        "sentence": match["sentence"],
        "emotion": canonical_label(match["emotion"]),
    }


def _enterface(match: re.Match[str]) -> Facts:
    """Martin et al. (2006); some files are named ``s_3_an_1``."""
    speaker, emotion = str(int(match["speaker"])), match["emotion"].lower()
    return {
        "recording": f"s{speaker}_{emotion}_{match['sentence']}",
        "speaker": speaker,
        "sentence": f"{emotion}{match['sentence']}",  # each emotion has five sentences of its own
        "emotion": canonical_label(emotion),
    }


def _emodb(match: re.Match[str]) -> Facts:
    """Burkhardt et al. (2005), "A database of German emotional speech", file names."""
    return {
        "recording": match[0],
        "speaker": match["speaker"],
        "sentence": match["sentence"],
        "emotion": EmoDB.codes[match["emotion"].lower()],
        "sex": EmoDB.sexes.get(match["speaker"]),
    }


def _iemocap(match: re.Match[str]) -> Facts:
    """Busso et al. (2008): session, dialogue, turn. The sex is that of the speaker of the turn."""
    return {
        "recording": match[0],
        "speaker": f"{match['session']}{match['sex']}",
        "sentence": None,
        "emotion": None,
        "sex": "female" if match["sex"] == "F" else "male",
    }


_KNOWN: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], Facts]], ...] = (
    (
        "ravdess",
        re.compile(
            r"(?:0[123]-)?(?P<fields>0[12]-(?P<emotion>0[1-8])-\d\d-(?P<sentence>\d\d)-\d\d-(?P<speaker>\d\d))"
        ),
        _ravdess,
    ),
    (
        "cremad",
        re.compile(
            r"(?P<speaker>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX|X)"
        ),
        _cremad,
    ),
    (
        "enterface",
        re.compile(
            r"s_?0*(?P<speaker>\d+)_(?P<emotion>an|di|fe|ha|sa|su)_?(?P<sentence>\d)(?:avi)?",
            re.IGNORECASE,
        ),
        _enterface,
    ),
    (
        "emodb",
        re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])[a-f]"),
        _emodb,
    ),
    (
        "iemocap",
        re.compile(r"(?P<session>Ses\d\d)[FM]_(?:impro|script)\w+_(?P<sex>[FM])\d{3}"),
        _iemocap,
    ),
)


NAMED_BY = tuple(f"{corpus}:" for corpus, _, _ in _KNOWN)
"""Prefixes of the speakers that are read from file names."""


def describe_name(
    name: str,
    fields: Mapping[str, str] | None = None,
    pattern: NamePattern | None = None,
    path: str = "",
) -> Entry:
    """Describe a clip by its name, the fields of the list, and a pattern.

    Fields of the list take precedence over the pattern, the pattern over the names of public
    corpora.

    Parameters
    ----------
    name : str
        Id or path in the list.
    fields : mapping, optional
        ``speaker``, ``sentence``, ``emotion``, ``sex``, ``performance``.
    pattern : NamePattern, optional
        The user's pattern of file names.
    path : str
        The file, if the list has ids and paths.

    Examples
    --------
    >>> describe_name("AudioWAV/1001_DFA_ANG_XX_aug2.wav").speaker
    'cremad:1001'
    >>> describe_name("02-01-05-01-02-01-12.mp4").recording
    'ravdess:01-05-01-02-01-12'
    """
    where = (path or name).replace("\\", "/")
    bare = _MEDIA_SUFFIX.sub("", where)
    original, derived = strip_copy_marks(bare)
    entry = _by_known_name(name, PurePosixPath(original).name)
    if entry is None:
        entry = Entry(name, recording=_without_subset_words(original))
    entry = replace(entry, derived=derived, path=where)
    if pattern is not None:
        # If the name of a copy does not match the pattern, the name of its original may.
        suffix = where[len(bare) :]
        found = pattern.match(where) or pattern.match(original + suffix) or pattern.match(original)
        entry = _with_fields(entry, found or {})
    return _with_fields(entry, fields or {})


def canonical_label(word: str) -> str:
    """The canonical label of an emotion, or the word in lower case if there is none.

    Examples
    --------
    >>> canonical_label("ANG"), canonical_label("Boredom")
    ('angry', 'boredom')
    """
    try:
        return parse_emotion(word, "")
    except LabelError:
        return word.strip().lower()


def _by_known_name(name: str, stem: str) -> Entry | None:
    # Lists that join corpora may prefix their names: "emodb-03a02Wb".
    bare = re.sub(r"^[A-Za-z]+-(?=\w)", "", stem)
    for corpus, expression, read in _KNOWN:
        match = expression.match(stem) or expression.match(bare)
        if match is not None and _TRAILING_WORDS.fullmatch(match.string, match.end()):
            facts = read(match)
            # Lists may join corpora, and each has an actor 03 of its own.
            return Entry(
                name,
                recording=f"{corpus}:{facts['recording']}",
                speaker=f"{corpus}:{facts['speaker']}",
                sentence=f"{corpus}:{facts['sentence']}" if facts["sentence"] else None,
                emotion=facts["emotion"],
                sex=facts.get("sex"),
            )
    return None


def _without_subset_words(path: str) -> str:
    """The path without folders named after subsets: equal in ``train/`` and in ``test/``.

    Running numbers keep the whole path: ``train/angry/im7`` is not ``test/angry/im7``.
    """
    if not path:
        return path
    *folders, stem = PurePosixPath(path).parts
    if _RUNNING_NUMBER.fullmatch(stem):
        return path
    return "/".join([*(folder for folder in folders if subset_of_word(folder) is None), stem])


def _with_fields(entry: Entry, fields: Mapping[str, str]) -> Entry:
    if not fields:
        return entry
    emotion = fields.get("emotion")
    sex = fields.get("sex", "").strip().lower()
    return replace(
        entry,
        speaker=fields.get("speaker") or entry.speaker,
        sentence=fields.get("sentence") or entry.sentence,
        emotion=canonical_label(emotion) if emotion else entry.emotion,
        sex=_SEXES.get(sex, sex) or entry.sex,
        recording=fields.get("performance") or entry.recording,
    )
