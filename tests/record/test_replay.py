"""A recording replays its chunks unchanged, with gaps at their place, at the requested speed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.chunk import Chunk, ChunkRun
from firmware_bridge.formats.messages import Hello
from firmware_bridge.samples import Samples, joined
from monitor.record.records import Gap, wire_record
from monitor.record.replay import Speed, batches, decoder_of, replay
from monitor.record.session_file import SessionWriter
from monitor.record.session_reader import SessionFile, SessionFileError, read_session
from tests.record.sessions import HEADER, parts_of, some_records, wire_chunks

HELLO = Hello(1, 1, 0, 0, 1, 1, 77, 5, 1, 80, 3, 16000, 1, 123)


def recorded(path: Path, chunks: Sequence[Chunk]) -> SessionFile:
    with SessionWriter(path, HEADER) as writer:
        for chunk in chunks:
            writer.add(wire_record(chunk))
    return read_session(path)


@pytest.fixture
def session(tmp_path: Path) -> SessionFile:
    path = tmp_path / "s.mcap"
    path.write_bytes(b"".join(parts_of(some_records())))
    return read_session(path)


def replayed(session: SessionFile, speed: Speed) -> tuple[list[Chunk | Gap], list[float]]:
    """The items and their times, on a clock that only sleeping moves."""

    async def run() -> tuple[list[Chunk | Gap], list[float]]:
        loop = asyncio.get_running_loop()
        now_s = [100.0]

        async def sleep(delay_s: float) -> None:
            now_s[0] += delay_s

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "time", lambda: now_s[0])
            patch.setattr(asyncio, "sleep", sleep)
            items, times_s = [], []
            async for item in replay(session, speed):
                items.append(item)
                times_s.append(now_s[0] - 100.0)
        return items, times_s

    return asyncio.run(run())


@pytest.mark.parametrize("speed", [1, 10, "max"])
def test_every_speed_gives_the_same_items_in_the_same_order(session: SessionFile, speed: Speed) -> None:
    items, times_s = replayed(session, speed)
    assert items == list(session.replayable())
    first_ns = HEADER.created_ns
    for item, time_s in zip(items, times_s, strict=True):
        if isinstance(item, Chunk):
            expected_s = 0.0 if speed == "max" else (item.received_ns - first_ns) / 1e9 / speed
            assert time_s == pytest.approx(expected_s)


def test_other_tasks_run_during_a_replay_at_full_speed(tmp_path: Path) -> None:
    session = recorded(tmp_path / "s.mcap", [Chunk(k, b"") for k in range(1000)])

    async def run() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in replay(session, "max"):
            pass
        task.cancel()
        return turns

    assert asyncio.run(run()) >= 10


@settings(deadline=None)
@given(batch_bytes=st.integers(1, 500))
def test_batches_are_complete_and_keep_gaps_in_place(
    tmp_path_factory: pytest.TempPathFactory, batch_bytes: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "batches.mcap"
    path.write_bytes(b"".join(parts_of(some_records())))
    session = read_session(path)
    flat: list[Chunk | Gap] = []
    for item in batches(session, batch_bytes):
        flat.extend(item.chunks() if isinstance(item, ChunkRun) else [item])
        assert isinstance(item, Gap) or item.chunks()
    assert flat == list(session.replayable())


def test_samples_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    session = recorded(tmp_path / "s.mcap", wire_chunks(3))

    def decoded(batch_bytes: int) -> Samples:
        decoder = decoder_of(HEADER)
        parts = [decoder.feed_run(run) for run in batches(session, batch_bytes) if isinstance(run, ChunkRun)]
        return joined(parts)

    whole = decoded(1 << 20)
    assert len(whole) == 3 * (500 + 80)
    for batch_bytes in (1, 100, 1000):
        for column, other in zip(whole, decoded(batch_bytes), strict=True):
            np.testing.assert_array_equal(column, other)


def test_the_decoder_knows_the_hello_from_before_the_recording(tmp_path: Path) -> None:
    """A HELLO of the same boot within the recording is not a restart, one of another boot is."""
    header = msgspec.structs.replace(HEADER, hello=HELLO.to_bytes(0)[2:])
    for boot_id, resets in ((77, 0), (78, 1)):
        decoder = decoder_of(msgspec.json.decode(msgspec.json.encode(header), type=type(header)))
        chunks = wire_chunks(0.2)
        again = HELLO.__class__(*(boot_id if name == "boot_id" else getattr(HELLO, name) for name in HELLO.__slots__))
        from firmware_bridge.formats.framing import frame

        decoder.feed(*chunks[:10], Chunk(chunks[9].received_ns, frame(again.to_bytes(10))), *chunks[10:])
        assert decoder.counts.resets == resets


@pytest.mark.parametrize(
    "change",
    [{"calibration": {}}, {"calibration": {"metres_per_count": 0.0, "newtons_per_count": 1.0}}, {"hello": b"x"}],
)
def test_a_header_that_is_insufficient_for_decoding_is_reported(change: dict[str, object]) -> None:
    with pytest.raises(SessionFileError, match=r"session s1 cannot be decoded: .*; replay it with --config"):
        decoder_of(msgspec.structs.replace(HEADER, **change))
