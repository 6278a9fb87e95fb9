"""The synthetic corpus that `aver corpus synthesize` writes."""

from __future__ import annotations

from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import media_fault, read_table
from aver.emotions import parse_emotion
from aver.settings import settings

_COLUMNS = ("clip_id", "speaker", "sex", "emotion", "intensity", "sentence", "take", "file")


@settings
class Synthetic(CorpusReader):
    """Reads a synthetic corpus: MP4 files of drawn faces and synthesized voices.

    ``clips.csv`` lists the clips; its column ``action_units`` (``units`` in version 0.1), if it
    exists, names tables of action units per frame.
    """

    name = "synthetic"
    marker_files = ("synthesis.json",)
    info = CorpusInfo(
        title="Synthetic corpus of drawn faces and synthesized voices",
        license="free of rights: made by this program",
        citation="none needed; name the version of aver, the seed and the settings",
        url="",
        tree=(
            "synthetic/            written by 'aver corpus synthesize'\n"
            "  synthesis.json      the settings that made it\n"
            "  clips.csv           clip_id,speaker,sex,emotion,intensity,"
            "sentence,take,file,action_units\n"
            "  ...                 the files that clips.csv names"
        ),
        example="clips.csv, written by 'aver corpus synthesize'",
    )

    def read(self, root: Path) -> Corpus:
        """Read ``clips.csv``."""
        clips: list[Clip] = []
        problems: list[Problem] = []
        table = root / "clips.csv"
        rows = read_table(table, _COLUMNS).rows if table.is_file() else ()
        for line, row in rows:
            file = root / row["file"]
            fault = media_fault(file)
            if fault is not None:
                problems.append(Problem(row["file"], fault))
                continue
            clips.append(
                Clip(
                    clip_id=row["clip_id"],
                    speaker=row["speaker"],
                    emotion=parse_emotion(row["emotion"], f"{table}, line {line}"),
                    video=file,
                    audio=file,
                    sex=row["sex"] or None,
                    intensity=row["intensity"] or None,
                    sentence=row["sentence"] or None,
                    take=row["take"] or None,
                    action_units=root / row["action_units"] if row.get("action_units") else None,
                )
            )
        return self.collect(root, clips, problems)
