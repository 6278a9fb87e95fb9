"""Read a corpus with file names of your own, make a split and audit it.

Many corpora need no code: the reader "manifest" takes a pattern for file names, see
docs/how-to/your-own-clips.md. This script writes a reader, which can do anything that names and
tables allow. Readers open no media.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aver
from aver.audit import audit_split
from aver.corpora import Clip, Corpus, CorpusInfo, CorpusReader, Problem, corpora
from aver.emotions import parse_emotion
from aver.settings import settings
from aver.splits import make_split
from aver.synthesis import SynthesisSettings, synthesize


@corpora.register("interviews")
@settings
class Interviews(CorpusReader):
    """Reads files like ``anna/anna_JOY_2.mp4``: speaker, emotion, take."""

    name = "interviews"
    info = CorpusInfo(
        title="Interviews",
        license="as agreed with the speakers",
        citation="Our group (2026)",
        url="",
        tree="SPEAKER/SPEAKER_EMOTION_TAKE.mp4",
        example="anna/anna_JOY_2.mp4",
    )

    def read(self, root: Path) -> Corpus:
        """Find the clips below `root`."""
        clips, problems = [], []
        for file in sorted(root.rglob("*.mp4")):
            fields = file.stem.split("_")
            if len(fields) != 3:
                problems.append(Problem(file.name, "The name must be SPEAKER_EMOTION_TAKE.mp4."))
                continue
            speaker, emotion, take = fields
            label = parse_emotion({"JOY": "happy", "CALM": "neutral"}.get(emotion, emotion), file)
            clip = Clip(file.stem, speaker, label, video=file, audio=file, take=take)
            clips.append(clip)
        return self.collect(root, clips, problems)


def main(folder: Path) -> None:
    root = _some_files(folder)
    corpus = aver.open_corpus(root, "interviews")
    print(f"{len(corpus)} clips; classes {', '.join(corpus.classes)}")
    for problem in corpus.problems:
        print(f"skipped: {problem.path}: {problem.reason}")

    random = make_split(corpus, "random", shares="60/20/20")
    by_speaker = make_split(corpus, "leave-one-speaker-out")
    for split in (random, by_speaker):
        report = audit_split(split, corpus)
        print(f"{split.rule}: {report.verdict}")


def _some_files(folder: Path) -> Path:
    """Synthetic clips under the names of this example, and one that does not fit."""
    made = SynthesisSettings(
        speakers=4, emotions=("neutral", "happy"), takes=2, size_px=96, duration_s=(0.6, 0.7)
    )
    source = aver.open_corpus(synthesize(folder / "custom-source", made))
    root = folder / "interviews"
    for clip in source:
        word = {"happy": "JOY", "neutral": "CALM"}[clip.emotion]
        take = 2 * int(clip.sentence) + int(clip.take)
        target = root / clip.speaker / f"{clip.speaker}_{word}_{take}.mp4"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(clip.video.read_bytes())
    (root / "trailer.mp4").write_bytes(b"not a clip")
    return root


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
