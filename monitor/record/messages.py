"""The records in the content of an MCAP chunk, as columns: an hour has half a million.

    opcode u8 | length u64 | channel u16 | number u32 | log time u64 | publish time u64 | data      a message
    opcode u8 | length u64 | channel u16 | schema u16 | length of the topic u32 | topic | ...       a channel

The length counts what follows it. Channels are recognised by topic, because tools that rewrite a file may change their
numbers.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.chunk import ChunkRun
from monitor.record.damage import Plain
from monitor.record.records import MESSAGE_CAP_BYTES, Topic
from monitor.record.scan import CHANNEL, MESSAGE

MOST_NS = 2**62  # no clock that runs since a boot shows 146 years
_HEAD = np.dtype([("opcode", "u1"), ("length", "<u8"), ("channel", "<u2"), ("number", "<u4"), ("at_ns", "<u8"),
                  ("published_ns", "<u8")])  # fmt: skip
_LENGTH = struct.Struct("<Q")
_CHANNEL = struct.Struct("<BQHHI")
_PREFIX_BYTES = 9  # opcode and length
_EMPTY_BYTES = _HEAD.itemsize - _PREFIX_BYTES  # the length of a message without data
_LONGEST_BYTES = _EMPTY_BYTES + MESSAGE_CAP_BYTES

Whole = NDArray[np.int64]


class Messages(NamedTuple):
    """Messages of known channels in the order of their numbers; every column has one value for each."""

    content: bytes
    topics: dict[int, str]  # by channel
    channels: Whole
    numbers: Whole
    at_ns: Whole
    begins: Whole  # of the data, in `content`
    ends: Whole

    def rows(self, which: NDArray[np.bool_] | Whole | slice) -> "Messages":
        """These messages."""
        columns: list[Whole] = [column[which] for column in self[2:]]
        return Messages(self.content, self.topics, *columns)

    def of(self, topic: Topic) -> Whole:
        """Which messages have this topic."""
        return _any_of(self.channels, [channel for channel, name in self.topics.items() if name == topic]).nonzero()[0]

    def records(self) -> list[Plain]:
        topics = [self.topics[channel] for channel in self.channels.tolist()]
        return list(zip(topics, self.at_ns.tolist(), self.data(), strict=True))

    def wire(self) -> ChunkRun:
        """The bytes of the wire."""
        mine = self.rows(self.of("/wire"))
        return ChunkRun(b"".join(mine.data()), (mine.ends - mine.begins).cumsum(), mine.at_ns)

    def data(self) -> list[bytes]:
        places = zip(self.begins.tolist(), self.ends.tolist(), strict=True)
        return [self.content[begin:end] for begin, end in places]


def messages_of(content: bytes, topics: dict[int, str]) -> Messages:
    """The messages in this content; invalid ones are skipped. Adds new channels to `topics`."""
    starts = np.array(_starts(content), np.int64)
    anywhere = np.ndarray(max(0, len(content) - _HEAD.itemsize + 1), _HEAD, content, strides=1)
    heads = anywhere[starts]
    length, channels = heads["length"], heads["channel"].astype(np.int64)
    ends = starts + _PREFIX_BYTES + length.astype(np.int64)
    for at in (heads["opcode"] == CHANNEL).nonzero()[0].tolist():
        if _CHANNEL.size - _PREFIX_BYTES <= length[at] <= len(content) - starts[at] - _PREFIX_BYTES:
            topics[int(channels[at])] = _topic(content[starts[at] : ends[at]])
    good = (heads["opcode"] == MESSAGE) & (length >= _EMPTY_BYTES) & (length <= _LONGEST_BYTES)
    good &= (ends <= len(content)) & (heads["at_ns"] < MOST_NS) & _any_of(channels, list(topics))
    found = Messages(
        content,
        topics,
        channels[good],
        heads["number"][good].astype(np.int64),
        heads["at_ns"][good].astype(np.int64),
        starts[good] + _HEAD.itemsize,
        ends[good],
    )
    sorted_already = bool((found.numbers[1:] >= found.numbers[:-1]).all())  # unless a tool has sorted them by time
    return found if sorted_already else found.rows(found.numbers.argsort(kind="stable"))


def _any_of(channels: Whole, wanted: list[int]) -> NDArray[np.bool_]:
    """Which of these are wanted; `np.isin` would cost more than all the rest."""
    found = np.zeros(len(channels), np.bool_)
    for channel in wanted:
        found |= channels == channel
    return found


def _starts(content: bytes) -> list[int]:
    """Where the records begin that are long enough to be messages."""
    starts: list[int] = []
    at, last, length_at = 0, len(content) - _HEAD.itemsize, _LENGTH.unpack_from
    while at <= last:
        starts.append(at)
        at += _PREFIX_BYTES + length_at(content, at + 1)[0]
    return starts


def _topic(channel: bytes) -> str:
    """The topic in a channel record."""
    *_, topic_bytes = _CHANNEL.unpack_from(channel)
    return channel[_CHANNEL.size : _CHANNEL.size + topic_bytes].decode(errors="replace")
