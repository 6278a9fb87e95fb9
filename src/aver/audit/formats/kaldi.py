"""`read_kaldi_folder`: Kaldi's data folder: wav.scp, utt2spk, segments, spk2gender, text."""

from __future__ import annotations

from pathlib import Path

from aver.audit.formats.list_file import lines_of, read_text
from aver.audit.formats.row import Row


def is_kaldi_folder(folder: Path) -> bool:
    """Whether the folder is one of Kaldi's."""
    return (folder / "utt2spk").is_file() or (folder / "wav.scp").is_file()


def read_kaldi_folder(folder: Path) -> list[Row]:
    """Rows of utterances, with the recording that each was cut from.

    Parameters
    ----------
    folder : Path
        With ``utt2spk`` or ``wav.scp``; ``segments``, ``spk2gender``, ``text`` and ``utt2emo`` are
        used where they are.

    Raises
    ------
    SplitError
        If a file cannot be read.

    Notes
    -----
    Source: the Kaldi manual, "Data preparation". Utterances cut from one recording share it only
    where ``segments`` says so.
    """
    speakers, files = _table(folder / "utt2spk"), _table(folder / "wav.scp")
    sexes, labels = _table(folder / "spk2gender"), _table(folder / "utt2emo")
    texts = _table(folder / "text")
    recordings = {name: cut.split()[0] for name, cut in _table(folder / "segments").items() if cut}
    rows = []
    for name in speakers or recordings or files:
        recording = recordings.get(name)
        speaker = speakers.get(name, "")
        facts = {
            "speaker": speaker,
            "sex": sexes.get(speaker, ""),
            "emotion": labels.get(name, ""),
            "sentence": texts.get(name, ""),
            "performance": f"recording {recording}" if recording else "",
        }
        command = files.get(recording or name, "").rstrip("| ").split()
        # Without segments the id says more than the file: Kaldi's copies differ in it only.
        path = command[-1] if recording and command else name
        rows.append(Row(name, path, {key: value for key, value in facts.items() if value}))
    return rows


def _table(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in lines_of(read_text(path)))
    return {pair[0]: pair[1].strip() if len(pair) == 2 else "" for pair in pairs}
