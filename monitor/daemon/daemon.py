"""The daemon: wires a sample's way from the port to the sinks.

    source -> session (recorder, decoder -> spine) -> keeper (store) -> sinks (events)
                                                   -> sinks (live feedback, at once)

All tasks run in one TaskGroup: an exception ends the daemon, and the service manager restarts it. An absent device,
broker or disk is not an exception but a state, which `status` and `info` report.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import from_end_mark
from firmware_bridge.formats.messages import Hello
from firmware_bridge.link_state import LinkState
from firmware_bridge.needed import Needed
from monitor.calibrate.history import newest as newest_calibration
from monitor.custody.forgetting import ForgetRequests, ForgetResult, NotAnswered
from monitor.custody.housekeeping import Housekeeper
from monitor.daemon.about import (
    calibration_info,
    firmware_info,
    headline,
    link_info,
    machine_info,
    protocol_info,
    published,
    recording_state,
    storage_info,
)
from monitor.daemon.idle import AWAY_S, Idle
from monitor.daemon.keeper import Keeper
from monitor.daemon.machine_memory import MachineMemory
from monitor.daemon.open_recordings import OpenRecordings
from monitor.daemon.profile_commands import with_load, with_protocol
from monitor.daemon.session import LiveSession
from monitor.daemon.sink import Sink
from monitor.events import Feedback, Update
from monitor.learning.range import LearnedRange, read_range
from monitor.mqtt.contract.commands import (
    Command,
    CommandRefused,
    ForgetCommand,
    LifterCommand,
    LoadCommand,
    ProtocolCommand,
    StopCommand,
)
from monitor.mqtt.contract.messages import ConfigInfo, Delivery, InfoMessage
from monitor.profile.derived import short_range_sentence
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import recording_path
from monitor.store.database import StoreError
from monitor.store.store import Store
from monitor.version import VERSION
from monitor.worker_thread import finished

TICK_S = 1.0
INFO_EVERY_S = 5.0
FLUSH_AFTER_S = 0.5  # without data
TIDY_EVERY_S = 3600.0
_log = logging.getLogger(__name__)


class Daemon:
    """One machine. `run` lasts until `stop`; add `sinks` before."""

    def __init__(self, profile: Profile, directory: Path, store: Store) -> None:
        """Raises ConfigError if the profile has no calibration."""
        if profile.calibration is None:
            raise ConfigError("Not calibrated yet: run `rep-monitor calibrate FILE`.")
        self.profile = profile
        self.own_protocol = profile.protocol  # as in the file; a command may have chosen another
        self.machine = profile.machine.id
        self.sinks: list[Sink] = []
        self.link: LinkState | None = None
        self.session: LiveSession | None = None  # being recorded
        self.config = ConfigInfo()  # of a profile that was changed while the daemon runs
        self.stopping = asyncio.Event()  # set when the end begins, whatever its cause
        self.open_recordings = OpenRecordings()
        self.storage_warning: str | None = None  # mount options that can lose data
        self._recordings = Path(profile.record.directory) if profile.record.directory else directory
        self.keeper = Keeper(store, self.sinks)
        self._housekeeper = Housekeeper(profile, store, self._recordings / "recordings")
        self._store = store
        self._forget_requests = ForgetRequests(directory, store, self.keeper.do, self._forget)
        self._calibrated = newest_calibration(directory)
        self._hello: Hello | None = None
        self._idle = Idle(partial(self._new_session, record=False))
        self._newest: Feedback | None = None
        self._last_set_at_s = -math.inf
        self._lifter: str | None = None
        self._learned: LearnedRange | None = None  # from the lifter's last session
        self._memory = MachineMemory(directory, self.keeper.do)
        self._fed_at_s = 0.0
        self._reader_turned_at_s: float | None = None

    def stop(self) -> None:
        """Asks `run` to end the session and to return when everything is stored."""
        self.stopping.set()

    def on_turn(self) -> None:
        """The source calls this in every turn of its loop, with a device or without."""
        self._reader_turned_at_s = asyncio.get_running_loop().time()

    def needed(self) -> Needed:
        """When data of the source is needed."""
        return Needed(0) if self._current is None else self._current.needed

    def reader_silent_s(self) -> float:
        """Seconds since the source's last turn; 0 before its first, and while the daemon stops."""
        at_s = self._reader_turned_at_s
        return 0.0 if at_s is None or self.stopping.is_set() else asyncio.get_running_loop().time() - at_s

    def since_set_s(self) -> float:
        """Seconds since the last moment in a set."""
        return asyncio.get_running_loop().time() - self._last_set_at_s

    def headline(self, broker_trouble: str | None) -> str:
        """One line for the status of a service manager."""
        return headline(self.link, self.session, broker_trouble)

    def on_link(self, link: LinkState) -> None:
        """The source calls this when the state of its link changes."""
        if self.link is None or link.state != self.link.state:
            log = _log.info if link.state in ("streaming", "opening", "hello") else _log.warning
            log("%s: %s", link.state, link.detail)
        if link.unstable and (self.link is None or not self.link.unstable):
            _log.warning("%s", link.unstable)
        changed = self.link is None or published(link) != published(self.link)
        self.link = link
        self._hello = link.hello
        if changed:
            self._publish_info()

    async def run(self, source: AsyncGenerator[Chunk, None]) -> None:
        """Returns after `stop`, or when the source ends. Raises the exceptions of its tasks in an ExceptionGroup."""
        try:
            await self._run(source)
        finally:
            self.stop()
            await self.open_recordings.written()  # also after an exception

    async def _run(self, source: AsyncGenerator[Chunk, None]) -> None:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(self.keeper.run(), name="keeper")
            reading = group.create_task(self._read(source), name="reader")
            ticking = group.create_task(self._tick(), name="ticker")
            forgetting = group.create_task(self._forget_requests.run(), name="forgetting")
            stopping = group.create_task(self.stopping.wait(), name="stop")
            await asyncio.wait((stopping, reading), return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            for task in (reading, ticking, forgetting, stopping):
                task.cancel()
            await asyncio.wait((reading, ticking, forgetting))
            self._end_session()
            self.keeper.close()
            await keeping

    async def _read(self, source: AsyncGenerator[Chunk, None]) -> None:
        async with contextlib.aclosing(source) as chunks:
            async for chunk in chunks:
                self._feed(chunk)

    def _feed(self, chunk: Chunk) -> None:
        """Processes one read. Nothing here waits for a disk or a broker."""
        self._fed_at_s = asyncio.get_running_loop().time()
        session = self.session
        if session is not None:
            self._deliver(session, session.feed(chunk))
            if session.idle_s > self._idle_limit_s:
                self._end_session()
            return
        followed = self._idle.feed(chunk, self._hello)
        if not self._idle.used:
            return self._deliver(*followed)
        del followed  # two sessions at once would take twice the memory
        self._begin_session()

    @property
    def _idle_limit_s(self) -> float:
        return self.profile.record.idle_minutes * 60

    @property
    def _current(self) -> LiveSession | None:
        return self.session or self._idle.session

    def _begin_session(self) -> None:
        """Begins a session that is recorded, because the machine is used."""
        if self._idle.session is not None:
            self._memory.follow_zero(self._idle.session.analysis.spine.machine.zero_n)
        hello, chunks = self._idle.take()
        chunks = from_end_mark(chunks, self.profile.serial.format)
        session = self.session = self._new_session(hello, chunks[0], record=self.profile.record.enabled)
        self.open_recordings.add(session.recorder)
        recording = None if session.recorder is None else session.recorder.status.path
        self.keeper.do(partial(self._store.begin_session, session.id, lifter=self._lifter, recording=recording))
        _log.info("session %s begins", session.id)
        for chunk in chunks:
            self._deliver(session, session.feed(chunk))

    def _new_session(self, hello: Hello | None, first: Chunk, record: bool) -> LiveSession:
        """The name of a session contains the wall clock, which is only a label."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        path = recording_path(self._recordings, now, name) if record else None
        started_utc = now.isoformat(timespec="milliseconds")
        machine = self._memory.newest
        return LiveSession(self.profile, hello, name, started_utc, path, first.received_ns, self._learned, machine)

    def _end_session(self) -> None:
        session, self.session = self.session, None
        if session is None:
            return
        self._deliver(session, session.finish(time.monotonic_ns()))
        summary = session.summary()
        for sink in self.sinks:
            sink.summary(summary)
        self._lifter = self._learned = None
        if (calibration := calibration_info(self._calibrated, session)) is not None and calibration.drift:
            _log.warning("%s", calibration.drift)
        self._memory.learn(session.analysis.spine.machine)
        learned = {"learned": msgspec.to_builtins(session.analysis.spine.learned)}
        self.keeper.do(partial(self._store.end_session, session.id, msgspec.to_builtins(summary) | learned))
        _log.info("session %s ended: %d sets, %d repetitions", session.id, summary.sets, summary.reps)

    def _deliver(self, session: LiveSession, update: Update) -> None:
        self.keeper.keep(update.events)
        if not update.feedback:
            return
        self._newest = update.feedback[-1]
        if self._newest.set is not None:
            self._last_set_at_s = asyncio.get_running_loop().time()
        if (hz := session.due_hz(self._newest)) is None:
            return
        for sink in self.sinks:
            sink.feedback(session.id, self._newest, hz)

    async def _tick(self) -> None:
        """Once a second: uses the samples of a paused stream, and ends the session of an absent device.

        At longer intervals: publishes info, and removes old data.
        """
        for ticks in itertools.count():
            unfed_s = asyncio.get_running_loop().time() - self._fed_at_s
            if unfed_s > FLUSH_AFTER_S and self.session is not None:
                self._deliver(self.session, self.session.flush(time.monotonic_ns()))
            if unfed_s > min(self._idle_limit_s, AWAY_S):
                self._end_session()
            self.open_recordings.release()
            if ticks % round(INFO_EVERY_S / TICK_S) == 0:
                self._publish_info()
            if ticks % round(TIDY_EVERY_S / TICK_S) == 60:
                self.keeper.do(self._housekeeper.tidy)
            await asyncio.sleep(TICK_S)

    def _publish_info(self) -> None:
        info = self.info()
        for sink in self.sinks:
            sink.info(info)

    async def command(self, command: Command) -> str | None:
        """Carries out a command of a client. Returns what was forgotten, else None. Raises CommandRefused."""
        match command:
            case LifterCommand():
                learned = await self._learned_of(command.lifter)
                if self.session is not None and command.lifter and self._lifter not in (None, command.lifter):
                    self.change_profile(self.profile)  # the new lifter gets a session of their own
                self._lifter = command.lifter  # of this session, or of the next one
                self._learned = learned
                if self.session is not None:
                    self.keeper.do(partial(self._store.change_lifter, self.session.id, command.lifter))
            case ProtocolCommand():
                self.change_profile(with_protocol(self.profile, command, self.own_protocol))
            case LoadCommand():
                self.change_profile(with_load(self.profile, command))
            case StopCommand():
                self._end_session()
                self._idle.forget()
            case ForgetCommand():
                try:
                    return await self._forget_requests.ask(command.lifter)
                except NotAnswered as error:
                    raise CommandRefused("refused", str(error)) from error
        return None

    async def _learned_of(self, lifter: str | None) -> LearnedRange | None:
        """The range from the newest session of this lifter in which one was learned. Raises CommandRefused."""
        if lifter is None:
            return None
        try:
            sessions = await finished(partial(self._store.sessions, lifter=lifter))
        except StoreError as error:
            raise CommandRefused("refused", f"the lifter's sessions cannot be read: {error}") from error
        mine = (read_range(row.summary.get("learned")) for row in sessions if row.lifter == lifter and row.summary)
        return next(filter(None, mine), None)

    def change_profile(self, profile: Profile) -> None:
        """Ends the session; the next one uses and records these settings. The lifter stays. Raises CommandRefused."""
        if self._newest is not None and self._newest.set is not None and self.session is not None:
            raise CommandRefused("refused", "a set is in progress: send the command again when it has ended")
        recalibrated = profile.calibration != self.profile.calibration
        lifter, learned, self.profile = self._lifter, self._learned, profile
        self._end_session()
        if recalibrated:
            self._memory.forget_zero()
        self._idle.forget()
        self._lifter, self._learned = lifter, learned
        self._publish_info()

    def _forget(self, lifter: str, done: ForgetResult | None) -> None:
        """Forgets a lifter at the request (`done` is None), and clears the last set when the store has removed them."""
        if self._lifter == lifter:
            self._lifter = self._learned = None
        if done is not None and done.last_set:
            for sink in self.sinks:
                sink.clear_last_set()

    def info(self) -> InfoMessage:
        """Machine, firmware, link and health; without the counters of delivery."""
        session = self._current
        recorder = None if self.session is None else self.session.recorder
        return InfoMessage(
            version=VERSION,
            machine=machine_info(self.profile),
            protocol=protocol_info(self.profile),
            firmware=None if self._hello is None else firmware_info(self._hello, self.profile),
            link=link_info(self.link, session),
            delivery=Delivery(),
            session=None if self.session is None else self.session.id,
            recording=recording_state(self.profile, self.session),
            fault=None if self._newest is None else self._newest.fault,
            storage=storage_info(self.keeper, self._housekeeper, recorder, self.storage_warning),
            calibration=calibration_info(self._calibrated, session),
            config=self.config,
            range_trouble=None if session is None else short_range_sentence(session.analysis.spine.limits),
        )
