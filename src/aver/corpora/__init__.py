"""Corpora: clips with their speakers and labels; one file per corpus. Opens no media."""

from aver.corpora.clip import Clip
from aver.corpora.combine import combine
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem, corpora, open_corpus

__all__ = [
    "Clip",
    "Corpus",
    "CorpusInfo",
    "CorpusReader",
    "Problem",
    "combine",
    "corpora",
    "open_corpus",
]
