"""A replay finds in the recorded bytes what the link has found."""

import random
from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk
from firmware_bridge.errors import LinkError
from firmware_bridge.formats import Format
from firmware_bridge.formats.decoder import Decoder, from_end_mark
from firmware_bridge.formats.messages import Hello
from firmware_bridge.samples import joined
from tests.firmware_bridge.link_play import MS, Play
from tests.firmware_bridge.wire import RAW, Wire
from tests.soak import long, soak


def split_anyhow(data: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted({0, len(data), *(rng.randrange(len(data) + 1) for _ in range(len(data) // 40))})
    return [data[a:b] for a, b in pairwise(cuts)]


def frames_of_a_day(rng: random.Random) -> list[bytes | None]:
    """The data of each read; None if the port goes away and comes back."""
    device, at_us, reads = Wire(boot_id=1), 0, list[bytes | None]()
    for _ in range(6):
        data = rng.choice([b"", b"\x00", rng.randbytes(9)]) + (device.hello(at_us) if rng.random() < 0.7 else b"")
        frames = [wire for _, wire in device.stream(at_us, 300_000)] + [device.status(at_us + 300_000)]
        if rng.random() < 0.5:
            frames.insert(rng.randrange(len(frames)), device.hello(at_us, protocol=2))
        data += b"".join(frames)
        reads += [*split_anyhow(data[: rng.randrange(1, len(data))], rng), None]
        at_us += 1_000_000
        if rng.random() < 0.5:
            device.reboot(at_us, device.boot_id + 1, rng.randrange(256))
    return reads


def lines_of_a_day(rng: random.Random) -> list[bytes | None]:
    data = b"".join(b"%d,%d,5\r\n" % (10 * k, k) + rng.choice([b"", b"", b"no line\n", b"x" * 90]) for k in range(99))
    return [read for part in split_anyhow(data, rng)[::7] for read in (*split_anyhow(part, rng), None)]


@soak
@settings(max_examples=long(160, 26), deadline=None)
@example(23102534, "frames")  # the end mark of a refused HELLO comes with the next device
@given(st.integers(0, 2**32 - 1), st.sampled_from(["frames", "lines-millis"]))
def test_a_replay_finds_in_the_bytes_what_the_link_has_found(seed: int, format: Format) -> None:
    """For a session from any chunk on, with ports that go away and delayed chunks."""
    rng = random.Random(seed)
    play, handed, boots = Play(format), list[Chunk](), list[Hello | None]()
    play.open()
    for read in frames_of_a_day(rng) if format == "frames" else lines_of_a_day(rng):
        play.now_ms += 3
        if read is None:
            play.link.failed(LinkError("gone"), play.now_ms * MS)
            play.open()
        elif read and (chunk := play.hear(read)):
            handed.append(chunk)
            boots.append(play.link.state.hello)
    assert all(chunk.split for chunk in handed)
    at = rng.randrange(len(handed) + 1)
    kept, boot = from_end_mark(handed[at:], format), boots[at] if at < len(boots) else None
    live, replayed = Decoder(RAW, format, boot), Decoder(RAW, format, boot)
    rows = joined([live.feed(chunk) for chunk in kept])
    again = joined([replayed.feed(Chunk(chunk.received_ns, chunk.data)) for chunk in kept])
    for column, same in zip(rows, again, strict=True):
        np.testing.assert_array_equal(column, same)
    assert live.counts == replayed.counts
    assert live.take_control() == replayed.take_control()
