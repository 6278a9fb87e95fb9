"""EMOVO: six actors speak 14 Italian sentences in seven emotions."""

from __future__ import annotations

from typing import ClassVar

from aver.corpora.corpus import CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class Emovo(NamedFilesReader):
    """Reads EMOVO by its file names: emotion (first letters in Italian), speaker, sentence.

    Notes
    -----
    Source: Costantini et al. (2014), and the published file names.
    """

    name = "emovo"
    path_pattern = (
        r"(?i)(^|/)(?P<emotion>[a-z]{3})-(?P<speaker>(?P<sex>[fm])[1-3])"
        r"-(?P<sentence>[a-z]\d)\.\w+$"
    )
    codes: ClassVar = {
        "neu": "neutral",
        "dis": "disgust",
        "gio": "happy",  # gioia
        "pau": "fearful",  # paura
        "rab": "angry",  # rabbia
        "sor": "surprised",  # sorpresa
        "tri": "sad",  # tristezza
    }
    sexes: ClassVar = {"f": "female", "m": "male"}
    info = CorpusInfo(
        title="EMOVO, an Italian Emotional Speech Database",
        license="none stated with the corpus; its page allowed non-commercial use with citation",
        citation=(
            "Costantini, G., Iaderola, I., Paoloni, A., & Todisco, M. (2014). EMOVO Corpus: an "
            "Italian Emotional Speech Database. Proceedings of the Ninth International Conference "
            "on Language Resources and Evaluation (LREC'14), 3501-3504."
        ),
        url="http://voice.fub.it/activities/corpora/emovo/index.html",
        tree="EMOVO/\n  f1/dis-f1-b1.wav    emotion-speaker-sentence\n  m1/ ...",
        example="f1/dis-f1-b1.wav",
    )
