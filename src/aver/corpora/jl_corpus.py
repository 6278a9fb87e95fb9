"""JL corpus: four New Zealand speakers, five primary and five secondary emotions."""

from __future__ import annotations

from typing import ClassVar

from aver.corpora.corpus import CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings

_FURTHER = ("anxious", "apologetic", "assertive", "concerned", "encouraging", "excited")


@settings
class JLCorpus(NamedFilesReader):
    """Reads the JL corpus by its file names: speaker, emotion, sentence, session.

    Six of its ten emotions are labels besides the shared ones.

    Notes
    -----
    Source: James, Tian & Watson (2018), section 3; README of the corpus, "File naming rule".
    """

    name = "jl-corpus"
    path_pattern = (
        r"(?i)(^|/)(?P<speaker>(?P<sex>female|male)[12])_(?P<emotion>[a-z]+)"
        r"_(?P<sentence>\d{1,2}[ab])_(?P<take>[12])\.\w+$"
    )
    codes: ClassVar = {
        **{word: word for word in ("angry", "happy", "neutral", "sad")},
        **{word: word for word in _FURTHER},
    }
    sexes: ClassVar = {"female": "female", "male": "male"}
    info = CorpusInfo(
        title="JL corpus, emotional speech in New Zealand English",
        license="CC0 1.0",
        citation=(
            "James, J., Tian, L., & Watson, C. I. (2018). An Open Source Emotional Speech Corpus "
            "for Human Robot Interaction Applications. INTERSPEECH 2018, 2768-2772. "
            "doi:10.21437/Interspeech.2018-1349"
        ),
        url="https://www.kaggle.com/tli725/jl-corpus",
        tree=(
            "JL corpus/\n"
            "  Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/\n"
            "    female1_angry_1a_1.wav    speaker_emotion_sentence_session\n"
            "    female1_angry_1a_1.txt"
        ),
        example="female1_angry_1a_1.wav",
        further_emotions=_FURTHER,
    )
