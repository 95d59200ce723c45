"""Every recording, replayed from its bytes, gives its expected events, and these match its movement."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_bridge.chunk import Chunk
from monitor.__main__ import main
from monitor.events import AnyEvent, encode
from monitor.playback.playback import analysis_of, open_playback, updates
from monitor.record.session_reader import read_session
from tests.recordings.make import MADE
from tests.soak import SOAKING, soak

HERE = Path(__file__).parent
RECORDINGS = sorted(HERE.glob("*.mcap"))
each_recording = pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
Chunking = Callable[[list[Chunk]], Iterable[list[Chunk]]]


def split(chunks: list[Chunk], sizes_bytes: tuple[int, ...]) -> Iterable[list[Chunk]]:
    """Each chunk in pieces with the same arrival time."""
    at = 0
    for chunk in chunks:
        start = 0
        while start < len(chunk.data):
            size = sizes_bytes[at % len(sizes_bytes)]
            yield [Chunk(chunk.received_ns, chunk.data[start : start + size])]
            start, at = start + size, at + 1


def replayed(path: Path) -> list[AnyEvent]:
    async def run() -> list[AnyEvent]:
        playback = open_playback(path, None)
        analysis = analysis_of(playback, feedback=False)
        return [e async for update in updates(playback, analysis, "max") for e in update.events]

    return asyncio.run(run())


def lines(events: Iterable[AnyEvent]) -> bytes:
    return b"".join(encode(event) + b"\n" for event in events)


def last(path: Path) -> list[Any]:
    """The last record of each event."""
    text = path.with_suffix(".events.jsonl").read_bytes()
    records = [msgspec.json.decode(line, type=AnyEvent) for line in text.splitlines()]
    return list({event.id: event for event in records}.values())


def test_all_that_can_be_made_are_here() -> None:
    assert [path.stem for path in RECORDINGS] == sorted(MADE)
    assert sum(path.stat().st_size for path in HERE.iterdir() if path.is_file()) < 1.5e6


@each_recording
def test_a_recording_gives_its_expected_events(path: Path, bless: bool, tmp_path: Path) -> None:
    expected, out = path.with_suffix(".events.jsonl"), tmp_path / "out.jsonl"
    assert main(["replay", str(path), "--events", str(out)]) == 0
    if bless:
        expected.write_bytes(out.read_bytes())
    assert out.read_bytes().splitlines() == expected.read_bytes().splitlines()
    assert out.read_bytes() == expected.read_bytes()


CHUNKINGS: dict[str, Chunking] = {
    "all at once": lambda chunks: [chunks],
    "as read": lambda chunks: [[chunk] for chunk in chunks],
    "in crumbs": lambda chunks: split(chunks, (1, 64, 7, 200)),
}
IN_SHORT = {"as read": ("faults", "static"), "in crumbs": ("unplugged",)}  # under `make soak` all of them


@soak
@pytest.mark.parametrize(
    ("path", "chunking"),
    [
        pytest.param(path, chunking, id=f"{name}-{path.stem}")
        for name, chunking in CHUNKINGS.items()
        for path in RECORDINGS
        if SOAKING or path.stem in IN_SHORT.get(name, (path.stem,))
    ],
)
def test_the_events_do_not_depend_on_the_cuts(path: Path, chunking: Chunking) -> None:
    session = read_session(path)
    assert session.header
    analysis = analysis_of(open_playback(path, None), feedback=True)
    events = [e for part in chunking(list(session.chunks())) for e in analysis.feed(*part).events]
    assert lines(events + analysis.finish().events) == path.with_suffix(".events.jsonl").read_bytes()


def test_clean_is_clean() -> None:
    events = last(HERE / "clean.mcap")
    assert Counter(event.kind for event in events) == {
        "set_start": 1, "rep": 5, "turnaround": 9, "stack_touch": 1, "bottom_rest": 1, "set_end": 1,
    }  # fmt: skip
    assert {event.grade for event in events if event.kind == "turnaround"} == {"smooth"}
    (end,) = (event for event in events if event.kind == "set_end")
    assert (end.reps, end.partial_reps, end.outcome) == (5, 0, "ended")
    assert end.skill > 0.99
    for rep in (event for event in events if event.kind == "rep"):
        assert rep.positive_s == pytest.approx(4.0, abs=0.45)
        assert rep.rom_m == pytest.approx(0.465, abs=0.02)


def test_faults_has_every_fault() -> None:
    events = last(HERE / "faults.mcap")
    found = {(event.kind, getattr(event, "grade", None) or getattr(event, "cause", None)) for event in events}
    assert found >= {
        ("jerk", "start"), ("jerk", "mid"), ("jerk", "shove"), ("turnaround", "abrupt"), ("turnaround", "bounce"),
        *((kind, None) for kind in ("slack", "unload", "drop", "lockout_rest", "stack_touch", "bottom_rest", "stall",
                                    "failure", "speed_over", "tension_out", "force_ceiling")),
    }  # fmt: skip
    assert not [event for event in events if event.kind == "sensor_fault"]
    assert [event.partial for event in events if event.kind == "rep"] == [False] * 5 + [True, False, False, True]
    assert [event.outcome for event in events if event.kind == "set_end"] == ["failure"]


def test_coarse_learns_its_load() -> None:
    (end,) = (event for event in last(HERE / "coarse.mcap") if event.kind == "set_end")
    assert (end.reps, end.partial_reps) == (4, 0)
    assert (end.working_load_n, end.working_load_from) == (pytest.approx(45 * 9.80665, rel=0.0005), "learned")
    assert end.friction == pytest.approx(0.14, abs=0.02)


def test_an_unplugged_device_reports_its_blind_time() -> None:
    events = last(HERE / "unplugged.mcap")
    faults = [event for event in events if event.kind == "sensor_fault"]
    assert {(fault.cause, round(fault.t_s)) for fault in faults} == {("gap", 14), ("gap", 29), ("restart", 29)}
    blind = [(14.0, 17.0), (29.0, 29.3)]
    for event in events:
        if event.kind != "sensor_fault":
            assert not any(start + 0.03 < event.t_s < end - 0.03 for start, end in blind), event


def test_static_stages_and_failure_are_printed() -> None:
    events = last(HERE / "static.mcap")
    stages = [event for event in events if event.kind == "stage"]
    assert [stage.stage for stage in stages] == [1, 2, 3]
    assert [stage.target_n for stage in stages] == pytest.approx([588.4, 882.6, 1176.8])
    assert [event.kind for event in events if event.kind in ("failure", "rep")] == ["failure"]


def test_positioning_is_not_a_repetition() -> None:
    events = last(HERE / "motor.mcap")
    reps = [event for event in events if event.kind == "rep"]
    assert [rep.rep for rep in reps] == [1, 2, 3, 4]
    assert all(rep.tension_max_n > 700 for rep in reps)
    assert not [event for event in events if event.kind == "sensor_fault"]
