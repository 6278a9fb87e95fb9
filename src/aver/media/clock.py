"""`Clock`: one clock for all streams of a file, also if the file's time stamps jump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_LONGEST_GAP_S = 10.0  # FFmpeg's dts_delta_threshold: longer gaps are faults of the clock
_BACK_S = 0.1  # packets of a stream are stored in order; FFmpeg's tolerance
_LONGEST_DELAY_S = 10.0  # between the order of decoding and that of display


@dataclass
class _Stream:
    """Where a stream is, in seconds; `latest_s` and `end_s` by its own time stamps."""

    part: int
    latest_s: float
    end_s: float
    usual_s: float = 0.0


class Clock:
    """Closes the jumps in the time stamps of a file, packet by packet.

    Files that were joined start their clock again in the middle, and damaged or cut broadcasts jump
    by minutes or days. As in FFmpeg, what follows a jump is played at once: a jump is a step back,
    or a gap of more than 10 s in which no other stream has anything. A pause of one stream while
    another goes on stays. All streams of the file must pass through one clock in the order in which
    they are stored, so that audio and video stay together.

    Attributes
    ----------
    mended : bool
        Whether there was a jump so far.
    """

    def __init__(self) -> None:
        self.mended = False
        self._offsets_s = [0.0]  # of each part of the file between two jumps
        self._streams: dict[int, _Stream] = {}

    def mend(self, packet: Any) -> None:
        """Change the time stamps of a packet of `av` in place, if the clock has jumped before it.

        Parameters
        ----------
        packet : av.Packet
            Without a time of decoding it only follows the packets before it.
        """
        if packet.time_base is None or packet.dts is None:
            self._shift(packet)
            return
        base = float(packet.time_base)
        start_s = packet.dts * base
        if packet.pts is not None and abs(packet.pts * base - start_s) > _LONGEST_DELAY_S:
            packet.pts = packet.dts
        stream = self._streams.get(packet.stream.index)
        if stream is None:
            stream = _Stream(len(self._offsets_s) - 1, start_s, start_s)
            if self._is_gap(stream.part, start_s):
                stream.end_s = max(one.end_s for one in self._streams.values())
                self._jump(stream, start_s)
            self._streams[packet.stream.index] = stream
        elif start_s < stream.latest_s - _BACK_S or self._is_gap(stream.part, start_s):
            self._jump(stream, start_s)
        else:
            stream.usual_s = start_s - stream.latest_s
        duration_s = float(packet.duration or 0) * base
        if not 0 < duration_s <= _LONGEST_GAP_S:  # MP4 states a gap as the duration before it
            duration_s = max(stream.usual_s, 0.0)
        stream.latest_s, stream.end_s = start_s, start_s + duration_s
        self._shift(packet)

    def _shift(self, packet: Any) -> None:
        """Add the offset of the part that the packet's stream is in."""
        stream = self._streams.get(packet.stream.index)
        if stream is None or not self._offsets_s[stream.part]:
            return
        ticks = round(self._offsets_s[stream.part] / float(packet.time_base))
        packet.dts = None if packet.dts is None else packet.dts + ticks
        packet.pts = None if packet.pts is None else packet.pts + ticks

    def _is_gap(self, part: int, start_s: float) -> bool:
        """Whether no stream that is in this part of the file has anything shortly before."""
        ends_s = [one.end_s for one in self._streams.values() if one.part == part]
        return bool(ends_s) and start_s - max(ends_s) > _LONGEST_GAP_S

    def _jump(self, stream: _Stream, start_s: float) -> None:
        """Move a stream to the part of the file that it has jumped to."""
        self.mended = True
        end_s = stream.end_s + self._offsets_s[stream.part]  # on the mended clock
        following = stream.part + 1
        if following < len(self._offsets_s):  # another stream was there first
            new_s = start_s + self._offsets_s[following]
            if abs(new_s - end_s) < _LONGEST_GAP_S:
                stream.part = following
                return
        self._offsets_s.append(end_s - start_s)
        stream.part = len(self._offsets_s) - 1
