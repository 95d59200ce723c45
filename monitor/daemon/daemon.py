"""The wiring: all of a sample's way in one place.

    source -> session (recorder tap, decoder -> spine) -> keeper (store) -> payload -> publisher

One TaskGroup: whatever fails takes the daemon down, and a service manager starts it again; a device, a broker or a disk
that is away is no failure but a state, told in `status` and `info`.
"""

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.decoder import from_end_mark
from firmware_bridge.formats.messages import Hello
from firmware_bridge.link_state import LinkState
from monitor.calibrate.history import newest as newest_calibration
from monitor.custody.forgetting import ForgetRequests, ForgetResult
from monitor.custody.housekeeping import Housekeeper
from monitor.daemon.about import (
    calibration_info,
    firmware_info,
    headline,
    link_info,
    machine_info,
    protocol_info,
    published,
    storage_info,
)
from monitor.daemon.agreed import with_load, with_protocol
from monitor.daemon.idle import AWAY_S, Idle
from monitor.daemon.keeper import Keeper
from monitor.daemon.session import LiveSession
from monitor.events import Feedback, Update
from monitor.learning.range import LearnedRange
from monitor.mqtt.client.bookmark import Bookmark
from monitor.mqtt.client.connection import Address
from monitor.mqtt.client.publisher import Publisher
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import (
    Command,
    CommandRefused,
    LifterCommand,
    LoadCommand,
    ProtocolCommand,
    StopCommand,
)
from monitor.mqtt.contract.messages import ConfigInfo, Envelope, InfoMessage
from monitor.profile.profile import Profile
from monitor.profile.toml_document import ConfigError
from monitor.state.folders import recording_path
from monitor.store.database import StoreError
from monitor.store.store import Store
from monitor.store.stored import StoredEvent

STATE_EVERY_S = 1.0
INFO_EVERY_S = 5.0
STALE_S = 0.5
TIDY_EVERY_S = 3600.0
_log = logging.getLogger(__name__)
Listener = Callable[[Update], None]


class Daemon:
    """One machine, from its bytes to its broker. `run` until `stop`."""

    def __init__(
        self, profile: Profile, directory: Path, store: Store, address: Address, *, listener: Listener | None = None
    ) -> None:
        if profile.calibration is None:
            raise ConfigError("the profile has no [calibration] table: without it counts are no metres and newtons")
        self.profile = profile
        self.machine = profile.machine.id
        self.link: LinkState | None = None
        self.session: LiveSession | None = None  # being recorded
        self.config = ConfigInfo()  # of a profile that was changed meanwhile
        self.storage_warning: str | None = None  # why the disk may not keep what it says it keeps
        self._directory = directory
        self._recordings = Path(profile.record.directory) if profile.record.directory else directory
        self._listener = listener
        bookmark = Bookmark(directory / "bookmark.json")
        self.publisher = Publisher(self.machine, address, store, self._command, bookmark)
        self._keeper = Keeper(store, self._stored)
        self._housekeeper = Housekeeper(profile, store, self._recordings / "recordings")
        self._store = store
        self._forget_requests = ForgetRequests(directory, store, self._keeper.do, self._forget)
        self._calibrated = newest_calibration(directory)
        self._hello: Hello | None = None
        self._idle = Idle(partial(self._session, record=False))
        self._newest: Feedback | None = None
        self._newest_at_s = 0.0
        self._lifted_at_s = -math.inf  # in a set
        self._lifter: str | None = None
        self._learned: LearnedRange | None = None  # by the lifter's last session
        self._fed_at_s = 0.0
        self._turned_at_s: float | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends the session, tells what is left, says goodbye."""
        self._stopping.set()

    def turned(self) -> None:
        """The source is alive, with a device or without."""
        self._turned_at_s = asyncio.get_running_loop().time()

    def needed_ns(self) -> int:
        """Before this moment of the host's monotonic clock nobody needs what the source has."""
        session = self._followed
        return 0 if session is None else session.needed_ns

    def reader_silent_s(self) -> float:
        """How long the source has given no sign of life; 0 before its first."""
        return 0.0 if self._turned_at_s is None else asyncio.get_running_loop().time() - self._turned_at_s

    def rested_s(self) -> float:
        """How long nobody has been in a set."""
        return asyncio.get_running_loop().time() - self._lifted_at_s

    def headline(self) -> str:
        """One line for a service manager's status."""
        return headline(self.link, self.session, self.publisher.trouble)

    def on_link(self, link: LinkState) -> None:
        """The source tells how its link stands."""
        if self.link is None or link.state != self.link.state:
            log = _log.info if link.state in ("streaming", "opening", "hello") else _log.warning
            log("%s: %s", link.state, link.detail)
        if link.unstable and (self.link is None or not self.link.unstable):
            _log.warning("%s", link.unstable)
        self.link = link
        self._hello = link.hello
        self.publisher.set_link(published(link))

    async def run(self, source: AsyncGenerator[Chunk, None]) -> None:
        """Returns after `stop`, or when the source ends; raises what a bug or an incompatible device raises."""
        try:
            await self._run(source)
        finally:
            if self.session is not None:  # something failed: what was recorded so far is kept
                await asyncio.to_thread(self.session.close)

    async def _run(self, source: AsyncGenerator[Chunk, None]) -> None:
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self.publisher.run(), name="publisher")
            keeping = group.create_task(self._keeper.run(), name="keeper")
            reading = group.create_task(self._read(source), name="reader")
            ticking = group.create_task(self._tick(), name="ticker")
            forgetting = group.create_task(self._forget_requests.run(), name="forgetting")
            stopping = group.create_task(self._stopping.wait(), name="stop")
            await asyncio.wait((stopping, reading), return_when=asyncio.FIRST_COMPLETED)
            for task in (reading, ticking, forgetting, stopping):
                task.cancel()
            await asyncio.wait((reading, ticking, forgetting))
            self._end_session()
            self._keeper.close()
            await keeping
            self.publisher.stop()
            await telling

    async def _read(self, source: AsyncGenerator[Chunk, None]) -> None:
        async with contextlib.aclosing(source) as chunks:
            async for chunk in chunks:
                self._take(chunk)

    def _take(self, chunk: Chunk) -> None:
        """One read's way. Nothing here waits for a disk or a broker."""
        self._fed_at_s = asyncio.get_running_loop().time()
        session = self.session
        if session is not None:
            self._tell(session, session.feed(chunk))
            if session.idle_s > self._idle_limit_s:
                self._end_session()
            return
        followed, update = self._idle.feed(chunk, self._hello)
        if self._idle.used:
            self._begin_session()
        else:
            self._tell(followed, update)

    @property
    def _idle_limit_s(self) -> float:
        return self.profile.record.idle_minutes * 60

    @property
    def _followed(self) -> LiveSession | None:
        return self.session or self._idle.session

    def _begin_session(self) -> None:
        """The machine is used."""
        hello, chunks = self._idle.take()
        chunks = from_end_mark(chunks, self.profile.serial.format)
        session = self.session = self._session(hello, chunks[0], record=self.profile.record.enabled)
        recording = None if session.recorder is None else session.recorder.status.path
        self._keeper.do(partial(self._store.begin_session, session.id, lifter=self._lifter, recording=recording))
        _log.info("session %s begins", session.id)
        for chunk in chunks:
            self._tell(session, session.feed(chunk))

    def _session(self, hello: Hello | None, first: Chunk, record: bool) -> LiveSession:
        """Named by the wall clock, which is no more than a label."""
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        path = recording_path(self._recordings, now, name) if record else None
        started_utc = now.isoformat(timespec="milliseconds")
        return LiveSession(self.profile, hello, name, started_utc, path, first.received_ns, self._learned)

    def _end_session(self) -> None:
        session, self.session = self.session, None
        if session is None:
            return
        self._tell(session, session.finish(time.monotonic_ns()))
        summary = session.summary()
        self.publisher.offer(payload.session(self.machine, summary))
        self._lifter = self._learned = None
        if (calibration := calibration_info(self._calibrated, session)) is not None and calibration.drift:
            _log.warning("%s", calibration.drift)
        self._keeper.do(session.close)
        learned = {"learned": msgspec.to_builtins(session.analysis.spine.learned)}
        self._keeper.do(partial(self._store.end_session, session.id, msgspec.to_builtins(summary) | learned))
        _log.info("session %s ended: %d sets, %d repetitions", session.id, summary.sets, summary.reps)

    def _tell(self, session: LiveSession, update: Update) -> None:
        self._keeper.keep(update.events)
        if update.feedback:
            self._newest = update.feedback[-1]
            self._newest_at_s = asyncio.get_running_loop().time()
            if self._newest.set is not None:
                self._lifted_at_s = self._newest_at_s
            self.publisher.offer_live(payload.live(self.machine, session.id, self._newest))
        if self._listener is not None and (update.events or update.feedback):
            self._listener(update)

    def _stored(self, stored: Sequence[StoredEvent]) -> None:
        """These are on disk: now they may be told."""
        self.publisher.stored(stored)
        for event in stored:
            if event.kind == "set_end":
                envelope = Envelope(seq=event.seq, store_id=event.store_id, historical=False)
                self.publisher.offer(payload.last_set(self.machine, event.record, envelope))

    async def _tick(self) -> None:
        """Once a second: the retained state; now and then info, and old events go."""
        ticks = 0
        while True:
            unfed_s = asyncio.get_running_loop().time() - self._fed_at_s
            if unfed_s > STALE_S and self.session is not None:
                self._tell(self.session, self.session.flush(time.monotonic_ns()))
            if unfed_s > min(self._idle_limit_s, AWAY_S):
                self._end_session()  # the device has been away for as long
            if self._newest is not None:
                session = self._followed
                stale = asyncio.get_running_loop().time() - self._newest_at_s > STALE_S
                name = "" if session is None else session.id
                self.publisher.offer(payload.state(self.machine, name, self._newest, stale))
            if ticks % round(INFO_EVERY_S / STATE_EVERY_S) == 0:
                self.publisher.offer(payload.info(self.machine, self.info()))
            if ticks % round(TIDY_EVERY_S / STATE_EVERY_S) == 60:
                self._keeper.do(self._housekeeper.tidy)
            ticks += 1
            await asyncio.sleep(STATE_EVERY_S)

    async def _command(self, command: Command) -> None:
        """What the coach asks for; `resume` is the publisher's own."""
        match command:
            case LifterCommand():
                learned = await self._learned_of(command.lifter)
                if self.session is not None and command.lifter and self._lifter not in (None, command.lifter):
                    self.agree(self.profile)  # what the one before lifted stays theirs
                self._lifter = command.lifter  # of this session, or else of the next
                self._learned = learned
                if self.session is not None:
                    self._keeper.do(partial(self._store.change_lifter, self.session.id, command.lifter))
            case ProtocolCommand():
                self.agree(with_protocol(self.profile, command))
            case LoadCommand():
                self.agree(with_load(self.profile, command))
            case StopCommand():
                self._end_session()
                self._idle.forget()

    async def _learned_of(self, lifter: str | None) -> LearnedRange | None:
        """By the newest of the lifter's sessions that taught anything."""
        if lifter is None:
            return None
        try:
            sessions = await asyncio.to_thread(self._store.sessions, lifter=lifter)
        except StoreError as error:
            raise CommandRefused("refused", f"what {lifter} lifted before cannot be read: {error}") from error
        mine = (row.summary.get("learned") for row in sessions if row.lifter == lifter and row.summary)
        learned = next(filter(None, mine), None)
        return None if learned is None else msgspec.convert(learned, LearnedRange)

    def agree(self, profile: Profile) -> None:
        """What comes now is a session of its own, by these settings: its recording says so. The lifter stays."""
        if self._newest is not None and self._newest.set is not None and self.session is not None:
            raise CommandRefused("refused", "a set is going on: ask again when it has ended")
        lifter, learned, self.profile = self._lifter, self._learned, profile
        self._end_session()
        self._idle.forget()
        self._lifter, self._learned = lifter, learned
        self.publisher.offer(payload.info(self.machine, self.info()))

    def _forget(self, lifter: str, done: ForgetResult | None) -> None:
        """Told twice: when it is asked, and when the disk has it."""
        if self._lifter == lifter:
            self._lifter = self._learned = None
        if done is not None and done.last_set:
            self.publisher.offer(payload.cleared(payload.topic(self.machine, "set")))

    def info(self) -> InfoMessage:
        """Machine, firmware, link and health."""
        session = self._followed
        recorder = None if self.session is None else self.session.recorder
        recording: Literal["off", "idle", "on", "failed"] = "idle" if self.session is None else "on"
        if not self.profile.record.enabled:
            recording = "off"
        elif recorder is not None and recorder.status.state == "no_storage":
            recording = "failed"
        return InfoMessage(
            version=version("rep-monitor"),
            machine=machine_info(self.profile),
            protocol=protocol_info(self.profile),
            firmware=None if self._hello is None else firmware_info(self._hello, self.profile),
            link=link_info(self.link, session),
            delivery=self.publisher.delivery,
            session=None if self.session is None else self.session.id,
            recording=recording,
            fault=None if self._newest is None else self._newest.fault,
            storage=storage_info(self._keeper, self._housekeeper, recorder, self.storage_warning),
            calibration=calibration_info(self._calibrated, session),
            config=self.config,
        )
