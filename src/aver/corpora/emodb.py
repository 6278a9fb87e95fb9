"""EMO-DB: ten actors speak ten German sentences in seven emotions."""

from __future__ import annotations

from typing import ClassVar

from aver.corpora.corpus import CorpusInfo
from aver.corpora.named_files import NamedFilesReader
from aver.settings import settings


@settings
class EmoDB(NamedFilesReader):
    """Reads EMO-DB by its file names: speaker, sentence, emotion (first letter in German), version.

    ``boredom`` is a label besides the shared ones.

    Notes
    -----
    Source: Burkhardt et al. (2005); http://emodb.bilderbar.info/docu/, "Code of emotions" and
    "Information about the speakers".
    """

    name = "emodb"
    path_pattern = (
        r"(^|/)(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])(?P<take>[a-z]?)\.\w+$"
    )
    codes: ClassVar = {
        "w": "angry",  # Wut
        "l": "boredom",  # Langeweile
        "e": "disgust",  # Ekel
        "a": "fearful",  # Angst
        "f": "happy",  # Freude
        "t": "sad",  # Trauer
        "n": "neutral",
    }
    sexes: ClassVar = {
        **dict.fromkeys(("08", "09", "13", "14", "16"), "female"),
        **dict.fromkeys(("03", "10", "11", "12", "15"), "male"),
    }
    info = CorpusInfo(
        title="EMO-DB, the Berlin Database of Emotional Speech",
        license="none stated; free to download",
        citation=(
            "Burkhardt, F., Paeschke, A., Rolfes, M., Sendlmeier, W. F., & Weiss, B. (2005). A "
            "database of German emotional speech. INTERSPEECH 2005, 1517-1520. "
            "doi:10.21437/Interspeech.2005-446"
        ),
        url="http://emodb.bilderbar.info/",
        tree="emodb/\n  wav/03a01Fa.wav    speaker, sentence, emotion, version",
        example="wav/03a01Fa.wav",
        further_emotions=("boredom",),
    )
