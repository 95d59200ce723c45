"""The daemon: commands between sets, a disk that refuses, exceptions that end it, sinks."""

import asyncio
import contextlib
import gc
import os
import threading
import weakref
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from firmware_bridge.chunk import Chunk
from monitor.daemon.daemon import Daemon
from monitor.daemon.keeper import Keeper
from monitor.daemon.profile_commands import with_load
from monitor.daemon.session import LiveSession
from monitor.detect.spine import Spine
from monitor.events import Update
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.client.address import Address
from monitor.mqtt.contract.commands import CommandRefused, LifterCommand, LoadCommand, ProtocolCommand, StopCommand
from monitor.playback.playback import open_playback
from monitor.profile.reading import profile_from_builtins, profile_to_builtins
from monitor.record.session_reader import SessionFile
from monitor.store.database import StoreError
from monitor.store.store import Store
from tests.daemon.stage import PROFILE, Machine, a_set, ask, publisher_of, publishing, with_daemon
from tests.mqtt.stage import listening, play, until
from tests.record.sessions import jerk


def test_commands_work_between_sets_and_are_refused_in_a_set(tmp_path: Path) -> None:
    chunks = a_set()
    half = len(chunks) // 2

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        store = daemon._store
        async with listening(address, "info", "session/+") as listener:
            await daemon.command(ask(LifterCommand, lifter="l-7"))  # before the machine is used
            machine.move(chunks[:half])
            await until(lambda: daemon._newest is not None and daemon._newest.set == 1 and machine.is_done)
            with pytest.raises(CommandRefused, match="a set is in progress"):
                await daemon.command(ask(ProtocolCommand, name="5/5"))
            with pytest.raises(CommandRefused, match="a set is in progress"):
                await daemon.command(ask(LoadCommand, load_n=500.0))
            machine.move(chunks[half:])
            await until(lambda: daemon._newest is not None and daemon._newest.set is None and machine.is_done)
            with pytest.raises(CommandRefused, match="positive_s"):
                await daemon.command(ask(ProtocolCommand, positive_s=-1.0, negative_s=4.0))
            first = daemon.session
            assert first is not None
            await daemon.command(ask(ProtocolCommand, name="5/5"))
            assert daemon.session is None
            summary = await listener.next(f"session/{first.id}")
            await until(lambda: any(event.kind == "set_end" for event in store.after(0, 1000)))
            (end,) = (event.record for event in store.after(0, 1000) if event.kind == "set_end")
            assert summary["reps"] == 2
            assert summary["leak"] == msgspec.json.decode(end)["leak"]
            while (await listener.next("info"))["protocol"]["positive_s"] != 5.0:
                pass
            await daemon.command(ask(ProtocolCommand))  # as in the profile
            assert daemon.profile.protocol == PROFILE.protocol
            await daemon.command(ask(StopCommand))
            await until(lambda: bool(store.sessions() and store.sessions()[0].ended_unix_s))
            (row,) = store.sessions()
            assert (row.session, row.lifter) == (first.id, "l-7")

    with_daemon(tmp_path, story)


def test_a_night_without_a_device_begins_a_new_session(tmp_path: Path) -> None:
    """Otherwise the first read of the morning would block the daemon for a minute and take a gigabyte."""
    still = a_set()[:5]
    night_ns = 12 * 3600 * 10**9

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        for at_ns in (0, night_ns):
            machine.move([Chunk(chunk.received_ns + at_ns, chunk.data) for chunk in still])
            await until(lambda: daemon._idle.session is not None and machine.is_done)
            assert daemon._idle.session is not None
            assert 0 < daemon._idle.session.analysis.newest_s < 60

    with_daemon(tmp_path, story)


def test_a_load_can_be_set_and_learned_again(tmp_path: Path) -> None:
    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        async with listening(address, "info", "state") as listener:
            await daemon.command(ask(LifterCommand, lifter="l-7"))
            machine.move(a_set())
            await until(lambda: daemon.session is not None and machine.is_done)
            with pytest.raises(CommandRefused, match="less than lift_off_n = 50 N"):
                await daemon.command(ask(LoadCommand, load_n=30.0))
            assert daemon.session is not None
            for load_n, load_from in ((640.0, "given"), (None, "unknown")):
                await daemon.command(ask(LoadCommand, load_n=load_n))
                assert daemon.session is None
                while (await listener.next("info"))["machine"]["working_load_n"] != load_n:
                    pass
                machine.move(a_set()[:2])  # at rest
                await listener.next("state", load_n=load_n, load_from=load_from)  # live feedback can be dropped
            machine.move(a_set())
            await until(lambda: daemon.session is not None and machine.is_done)
            await daemon.command(ask(StopCommand))
            await until(lambda: len(rows := daemon._store.sessions()) == 2 and all(row.ended_unix_s for row in rows))
            assert [row.lifter for row in daemon._store.sessions()] == ["l-7"] * 2  # the same person with another load

    with_daemon(tmp_path, story)


def test_the_next_lifter_gets_a_session_of_their_own(tmp_path: Path) -> None:
    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        for lifter in ("l-1", "l-1", "l-2"):  # the same lifter again changes nothing
            machine.move(a_set())
            await until(lambda: daemon.session is not None and machine.is_done)
            await daemon.command(ask(LifterCommand, lifter=lifter))
        await until(lambda: [row.lifter for row in daemon._store.sessions()] == ["l-1"])
        machine.move(a_set())
        await until(lambda: daemon.session is not None and machine.is_done)
        await until(lambda: sorted(row.lifter or "" for row in daemon._store.sessions()) == ["l-1", "l-2"])

    with_daemon(tmp_path, story)


def test_a_static_machine_refuses_a_load() -> None:
    table = profile_to_builtins(PROFILE) | {"machine": {"id": "hold", "kind": "static"}, "protocol": {"name": "static"}}
    with pytest.raises(CommandRefused, match="a share of the tested peak"):
        with_load(profile_from_builtins(table), LoadCommand(id="c-1", stamp_s=0.0, load_n=500.0))


def test_feedback_continues_and_no_event_is_lost_while_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.daemon.keeper.RETRY_S", 0.05)
    healthy, refusing = Store.append, True

    def append(self: Store, events: Any) -> Any:
        if refusing:
            raise StoreError("no space left on the disk")
        return healthy(self, events)

    monkeypatch.setattr(Store, "append", append)

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        nonlocal refusing
        async with listening(address, "live/feedback", "event/+") as listener:
            await until(lambda: publisher_of(daemon).connected)
            machine.move(a_set())
            await until(lambda: machine.is_done and daemon.keeper.failures >= 3)
            await listener.next("live/feedback")
            assert not [topic for topic, _, _ in listener.heard if topic.startswith("event")]
            refusing = False
            events = [await listener.next("event/set_start"), await listener.next("event/set_end")]
            assert [event["historical"] for event in events] == [False, False]
            seqs = [body["seq"] for topic, body, _ in listener.heard if topic.startswith("event")]
            assert seqs == list(range(1, len(seqs) + 1))

    with_daemon(tmp_path, story)


@pytest.mark.parametrize("name", ["append", "sessions"])
def test_a_cancellation_leaves_no_thread_behind_in_the_store(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would open the store again after the daemon has closed it."""
    healthy, begun, may_end = getattr(Store, name), threading.Event(), threading.Event()

    def held(*args: Any, **more: Any) -> Any:
        begun.set()
        may_end.wait()
        return healthy(*args, **more)

    monkeypatch.setattr(Store, name, held)

    async def whole() -> None:
        with Store(tmp_path / "events.db") as store:
            keeper = Keeper(store, [])
            keeper.keep([jerk(1)])
            daemon = Daemon(PROFILE, tmp_path, store)
            working = keeper.run() if name == "append" else daemon.command(ask(LifterCommand, lifter="l-7"))
            task = asyncio.ensure_future(working)
            await until(begun.is_set)
            task.cancel()
            for _ in range(50):
                await asyncio.sleep(0)
            ended_early = task.done()
            may_end.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not ended_early

    play(whole())


def test_a_session_ends_when_the_device_stays_away(tmp_path: Path) -> None:
    short = msgspec.structs.replace(PROFILE, record=msgspec.structs.replace(PROFILE.record, idle_minutes=0.02))
    chunks = a_set()

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        machine.move(chunks[: len(chunks) // 2])
        await until(lambda: has_ended(daemon, 1))

    with_daemon(tmp_path, story, short)


def test_a_slow_disk_gets_the_end_of_a_recording_after_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fast, opened = os.fdatasync, threading.Event()

    def slow(fd: int) -> None:
        opened.wait()
        fast(fd)

    monkeypatch.setattr(os, "fdatasync", slow)
    monkeypatch.setattr("monitor.record.recorder.SLOW_S", 0.01)
    chunks, used = a_set(), asyncio.Event()

    async def source() -> AsyncGenerator[Chunk, None]:
        for chunk in chunks:
            yield chunk
        used.set()
        await asyncio.Event().wait()

    async def whole() -> None:
        with Store(tmp_path / "events.db") as store:
            daemon = Daemon(PROFILE, tmp_path, store)
            running = asyncio.create_task(daemon.run(source()))
            daemon.on_turn()
            await used.wait()
            daemon.stop()
            await until(lambda: "is still being written: the disk is slow" in caplog.text)
            assert not running.done()
            assert has_ended(daemon, 1), "events do not wait for the recording"
            assert daemon.reader_silent_s() == 0.0, "a daemon that stops does not hang"
            opened.set()
            await running

    play(whole())
    (recording,) = tmp_path.rglob("*.mcap")
    file = SessionFile(recording)
    assert [chunk.data for chunk in file.chunks()] == [chunk.data for chunk in chunks]
    assert not file.damage


@pytest.mark.parametrize("cause", ["stop", "source ends", "exception"])
def test_the_beginning_of_the_end_is_reported(tmp_path: Path, cause: str) -> None:
    """So that the service manager waits for a slow disk, and does not take the daemon for a hanging one."""

    async def watch(daemon: Daemon) -> None:
        await daemon.stopping.wait()
        assert daemon.reader_silent_s() == 0.0

    async def source(daemon: Daemon) -> AsyncGenerator[Chunk, None]:
        daemon.on_turn()
        yield a_set()[0]
        if cause == "exception":
            raise ZeroDivisionError("a bug")
        if cause == "stop":
            daemon.stop()
            await asyncio.Event().wait()

    async def whole() -> None:
        with Store(tmp_path / "events.db") as store:
            daemon = Daemon(PROFILE, tmp_path, store)
            watching = asyncio.create_task(watch(daemon))
            with pytest.RaisesGroup(ZeroDivisionError) if cause == "exception" else contextlib.nullcontext():
                await daemon.run(source(daemon))
            await watching

    play(whole())


def test_an_exception_ends_the_daemon_and_keeps_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    healthy = Spine.update

    def update(self: Spine, samples: Any) -> Update:
        done = healthy(self, samples)
        if any(event.kind == "rep" for event in done.events):
            raise ZeroDivisionError("a bug")
        return done

    monkeypatch.setattr(Spine, "update", update)

    async def whole() -> None:
        with Store(tmp_path / "events.db") as store:
            async with EmbeddedBroker() as broker:
                address = Address(host=broker.host, port=broker.port)
                machine = Machine()
                async with listening(address, "status") as listener:

                    async def run() -> None:
                        async with publishing(PROFILE, tmp_path, store, broker) as daemon:
                            await daemon.run(machine.source())

                    running = asyncio.create_task(run())
                    await listener.next("status", state="online")
                    machine.move(a_set())
                    with pytest.raises(ExceptionGroup) as group:
                        await running
                    assert group.group_contains(ZeroDivisionError)
                    await listener.next("status", state="offline")

    play(whole())
    (recording,) = tmp_path.rglob("*.mcap")
    file = SessionFile(recording)
    assert sum(1 for record in file if record.topic == "/wire") > 20
    assert not file.damage


def has_ended(daemon: Daemon, sessions: int) -> bool:
    return sum(row.ended_unix_s is not None for row in daemon._store.sessions()) == sessions


def test_a_learned_range_is_used_when_the_lifter_comes_again(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(PROFILE.machine, bottom_m=None, top_m=None, lockout_m=None)
    profile = msgspec.structs.replace(PROFILE, machine=bare)

    async def story(daemon: Daemon, machine: Machine, address: Address) -> None:
        known = []
        for lifter in ("l-1", "l-2", "l-1"):
            await daemon.command(ask(LifterCommand, lifter=lifter))
            machine.move(a_set(reps=3))
            await until(lambda: daemon.session is not None and machine.is_done)
            assert daemon.session is not None
            known.append(daemon._learned)
            await daemon.command(ask(StopCommand))
            await until(partial(has_ended, daemon, len(known)))
        assert known[:2] == [None, None], "a lifter's range is not used for others"
        assert known[2] is not None
        assert abs(known[2].top_m - (PROFILE.machine.top_m or 0)) < 0.02
        await daemon.command(ask(LifterCommand, lifter="l-1"))
        assert daemon._learned is not None
        daemon._forget("l-1", None)
        assert daemon._learned is None, "the next lifter does not use it"

    with_daemon(tmp_path, story, profile)
    recordings = [open_playback(path, None) for path in tmp_path.rglob("*.mcap")]
    recordings.sort(
        key=lambda recording: recording.began_utc or ""
    )  # the names of two of the same second are unordered
    assert [recording.learned is not None for recording in recordings] == [False, False, True], (
        "a recording contains the range known before it"
    )


def test_a_session_is_freed_when_it_ends() -> None:
    """Not only when Python looks for cycles: the signals of two sessions would be in memory at once."""
    session = LiveSession(PROFILE, None, "s", "", None, 0)
    for chunk in a_set()[:5]:
        session.feed(chunk)
    alive = weakref.ref(session.analysis.spine)
    gc.disable()
    try:
        del session
        assert alive() is None
    finally:
        gc.enable()
