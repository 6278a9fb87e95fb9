"""nEMO: nine actors speak 90 Polish sentences in six emotions."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from aver.corpora.corpus import Corpus, CorpusInfo
from aver.corpora.files import read_table
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Nemo(NamedFilesReader):
    """Reads nEMO by its file names: speaker, emotion, sentence.

    The names have all that the evaluation needs of ``data.tsv``, except the sexes, which are part
    of this reader. The table names the clips that a copy lacks. Any audio suffix is accepted.

    Notes
    -----
    Source: README and ``data.tsv`` of https://github.com/amu-cai/nEMO, "Data Fields".
    """

    name = "nemo"
    path_pattern = (
        r"(^|/)(?P<speaker>[A-Z]{2}0)_(?P<emotion>anger|fear|happiness|neutral|sadness|surprised)"
        r"_(?P<sentence>\d{1,2})\.\w+$"
    )
    codes: ClassVar = {
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprised": "surprised",
    }
    sexes: ClassVar = {
        **dict.fromkeys(("eb0", "ic0", "kd0", "mk0"), "female"),
        **dict.fromkeys(("ks0", "mp0", "sm0", "tp0", "wr0"), "male"),
    }
    info = CorpusInfo(
        title="nEMO, Dataset of Emotional Speech in Polish",
        license="CC BY-NC-SA 4.0",
        citation=(
            "Christop, I. (2024). nEMO: Dataset of Emotional Speech in Polish. Proceedings of the "
            "2024 Joint International Conference on Computational Linguistics, Language Resources "
            "and Evaluation (LREC-COLING 2024). arXiv:2404.06292"
        ),
        url="https://github.com/amu-cai/nEMO",
        tree=(
            "nEMO/\n"
            "  data.tsv                    file_id, emotion, ..., speaker_id, gender, age\n"
            "  samples/EB0_anger_1.wav     speaker_emotion_sentence"
        ),
        example="samples/EB0_anger_1.wav",
    )

    def missing(self, corpus: Corpus) -> tuple[str, ...]:
        """Clips of ``data.tsv`` that were not found, if that table exists."""
        table = corpus.root / "data.tsv"
        if not table.is_file():
            return ()
        names = (Path(row["file_id"]).stem for _, row in read_table(table, ["file_id"]).rows)
        return tuple(sorted(name for name in names if name not in corpus.by_id))
