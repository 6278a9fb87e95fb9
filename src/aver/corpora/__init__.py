"""Who says what: clips, labels, speakers. No media are opened here; one file per corpus."""

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem, corpora, open_corpus

__all__ = ["Clip", "Corpus", "CorpusInfo", "CorpusReader", "Problem", "corpora", "open_corpus"]
