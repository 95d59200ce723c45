"""The contract of a sink: stored events in order, the newest feedback, a summary for each session, and `info`."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from monitor.daemon.daemon import Daemon
from monitor.demo.demo_screen import DemoScreen
from monitor.events import Feedback
from monitor.mqtt.contract.messages import InfoMessage, SessionMessage
from monitor.store.store import Store
from monitor.store.stored import StoredEvent
from tests.daemon.stage import PROFILE, Machine, a_set
from tests.mqtt.stage import play, until


class RecordingSink:
    """Records every call, and which events were on disk when they came."""

    def __init__(self, path: Path) -> None:
        self._reader = Store(path, read_only=True)
        self.fed: list[tuple[str, float]] = []
        self.seqs: list[int] = []
        self.kinds: list[str] = []
        self.on_disk: list[bool] = []
        self.summaries: list[SessionMessage] = []
        self.links: list[str] = []

    def feedback(self, session: str, feedback: Feedback, hz: float) -> None:
        self.fed.append((session, feedback.t_s))

    def events(self, stored: Sequence[StoredEvent]) -> None:
        self.seqs += [event.seq for event in stored]
        self.kinds += [event.kind for event in stored]
        self.on_disk.append(self._reader.after(stored[0].seq - 1, len(stored)) == list(stored))

    def summary(self, summary: SessionMessage) -> None:
        self.summaries.append(summary)

    def info(self, info: InfoMessage) -> None:
        self.links.append(info.link.state)

    def close(self) -> None:
        self._reader.close()

    def clear_last_set(self) -> None:
        """Not part of this test."""


def test_a_sink_gets_stored_events_feedback_and_a_summary(tmp_path: Path) -> None:
    async def story() -> None:
        with Store(tmp_path / "events.db") as store, closing(RecordingSink(store.path)) as sink:
            daemon, machine = Daemon(PROFILE, tmp_path, store), Machine()
            daemon.sinks.append(sink)
            running = asyncio.create_task(daemon.run(machine.source()))
            machine.move(a_set())
            await until(lambda: "set_end" in sink.kinds and machine.is_done)
            assert sink.summaries == []
            daemon.stop()
            await running
        assert sink.seqs == list(range(1, len(sink.seqs) + 1))
        assert all(sink.on_disk)
        (summary,) = sink.summaries
        assert (summary.sets, summary.reps) == (1, 2)
        stamps_s = [t_s for session, t_s in sink.fed if session == summary.session]
        assert len(stamps_s) > 40
        assert stamps_s == sorted(stamps_s)
        assert sink.links[0] == "none"

    play(story())


def test_an_exception_in_a_sink_ends_the_daemon(tmp_path: Path) -> None:
    class BrokenSink(RecordingSink):
        def events(self, stored: Sequence[StoredEvent]) -> None:
            raise ZeroDivisionError

    async def story() -> None:
        with Store(tmp_path / "events.db") as store, closing(BrokenSink(store.path)) as sink:
            daemon, machine = Daemon(PROFILE, tmp_path, store), Machine()
            daemon.sinks.append(sink)
            machine.move(a_set())
            with pytest.raises(ExceptionGroup) as group:
                await daemon.run(machine.source())
            assert group.group_contains(ZeroDivisionError)

    play(story())


def test_the_terminal_of_the_demo_prints_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        with Store(tmp_path / "events.db") as store, DemoScreen(PROFILE) as screen:
            daemon, machine = Daemon(PROFILE, tmp_path, store), Machine()
            daemon.sinks.append(screen)
            running = asyncio.create_task(daemon.run(machine.source()))
            machine.move(a_set())
            await until(lambda: any(event.kind == "set_end" for event in store.after(0, 1000)) and machine.is_done)
            daemon.stop()
            await running

    play(story())
    lines = capsys.readouterr().out
    assert "set 1 begins" in lines
    assert "set over: 2 reps" in lines
