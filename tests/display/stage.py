"""Plays a machine to the page: real broker, page server and payloads, feedback ten times a second.

with DisplayStage() as stage:
    stage.live(band="low", tension=0.8)    what the lifter sees from now on, until `stage.silence()`
    stage.event(Jerk, cause="mid", ...)    one record
    stage.restart_broker()
"""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import aiomqtt
import msgspec

from monitor.display.server import PageServer
from monitor.display.tls import PageTls
from monitor.events import Event, Feedback, Leak, SetEnd, encode
from monitor.mqtt.broker.embedded_broker import EmbeddedBroker
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.messages import (
    LIVE_HZ,
    AckMessage,
    Delivery,
    Envelope,
    InfoMessage,
    LinkInfo,
    MachineInfo,
    ProtocolInfo,
    ResumeMark,
    StatusMessage,
)
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.roles import Role
from monitor.mqtt.contract.topics import ROOT, TopicTree
from monitor.profile.profile import DisplaySettings, MachineSettings, MqttSettings, Profile

PATIENT_HZ = 0.05  # so rarely may feedback come: a page is not stale because a loaded machine sends it late
LEAK = Leak(lockout_s=6.2, bottom_s=3.1, unload_s=2.2, low_tension_s=3.4, high_tension_s=0.4)
CALM = Feedback(
    t_s=0.0, tension_n=804.0, tension=1.0, band="in", phase="positive", position=0.55, pace=0.55, velocity_m_s=0.05,
    set=1, rep=2, under_load_s=42.0, under_tension_s=38.0, resting=None, cue=None, load_n=804.0, load_from="learned",
    fault=None,
)  # fmt: skip
IDLE = msgspec.structs.replace(
    CALM, tension=None, tension_n=0.0, band=None, phase="rest", position=0.0, pace=None, velocity_m_s=0.0, set=None,
    rep=0, under_load_s=0.0, under_tension_s=0.0,
)  # fmt: skip
NO_SETS: dict[str, Any] = {"v": 1, "sets": []}
Kind = TypeVar("Kind", bound=Event)
Result = TypeVar("Result")


class DisplayStage:
    """Broker, page and machine in a thread with its own loop."""

    def __init__(
        self,
        machine: str = "leg-press",
        rate_hz: float = 10.0,
        tokens: Mapping[Role, str] | None = None,
        tls: PageTls | None = None,
        root: str = ROOT,
    ) -> None:
        self.machine, self.tree = machine, TopicTree(machine, root)
        self._tokens = tokens
        self._tls = tls
        self.feedback: Feedback | None = None
        self.t_s = 100.0
        self.session = "s-1"
        self.sent: deque[tuple[float, float]] = deque(maxlen=10_000)  # t_s, and the wall clock when it was sent
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}  # command -> the daemon's answer; without one it does not answer
        self._period_s = 1 / rate_hz
        self.version = "0.1.0"  # of the daemon
        self.step_s = self._period_s  # of the machine's time, between two feedbacks
        self.history: dict[str, Any] | None = NO_SETS  # None when the server starts: it has no store
        self.recent: dict[str, Any] | None = None  # the document with the feedback of the last minute
        self._port = 0  # whichever is free, from then on the same
        self._last_id = 0
        self._settings: dict[str, Any] = {}
        self._is_up = False
        self.stops = 0  # of the broker and the server

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="display stage")
        self._thread.start()
        self._do(self._broker_up())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._do(self._down())
        finally:  # else the run never ends
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    @property
    def secure_url(self) -> str:
        return f"https://127.0.0.1:{self._server.secure_port}/"

    def display(self, **settings: Any) -> None:
        """Serves the page with these settings of [display] from now on, on the same port."""
        self._settings = settings
        self._do(self._broker_down())
        self._do(self._broker_up())
        self.status()

    def begin(self) -> None:
        """A connected, idle machine with a session of its own, whatever was played before."""
        if not self._is_up or self._settings or self.history is None:
            self.history, self._settings = NO_SETS, {}
            self.break_broker()
            self.mend_broker()
        self.history, self.recent, self.answers = NO_SETS, None, {}
        self.step_s = self._period_s
        self.commands.clear()
        self.new_session()
        self.live(IDLE)
        self.status()
        self.info()

    def pause(self) -> None:
        """Sends no feedback until the next `live` or `begin`."""
        self.feedback = None

    def live(self, base: Feedback = CALM, **changes: Any) -> None:
        """Sends this at once, and again and again until the next."""
        self.change(base, **changes)
        self._do(self._next())

    def change(self, base: Feedback = CALM, **changes: Any) -> None:
        """The same from the next time on, so at the stage's own rate."""
        self.feedback = msgspec.structs.replace(base, **changes)

    def new_session(self) -> None:
        """Forgets everything that was sent before."""
        self._last_id += 1
        self.publish(payload.Packet(self.tree.topic("set"), b"", 1, True))
        self.session = f"s-{self._last_id}"

    def silence(self) -> None:
        """The last feedback promises the next one at the live rate, so that the page soon misses it."""
        last, self.feedback = self.feedback, None
        if last is not None:
            self._do(self._send(last, LIVE_HZ))

    def publish(self, packet: payload.Packet) -> None:
        self._do(self._client.publish(packet.topic, packet.payload, packet.qos, packet.retain))

    def raw(self, topic: str, data: bytes) -> None:
        self._do(self._client.publish(self.tree.topic(topic), data, 0))

    def status(self, **fields: Any) -> None:
        self.publish(
            payload.status(self.tree, StatusMessage(**{"state": "online", "conn": 1, "link": "live", **fields}))
        )

    def info(
        self,
        kind: Any = "stack",
        band: float = 0.10,
        tempo: str | None = "5/5",
        load_n: float | None = None,
        plates_kg: tuple[float, ...] | None = None,
        range_trouble: str | None = None,
    ) -> None:
        limits = {"bottom_m": 0.0, "top_m": 0.5, "lockout_m": 0.5, "force_ceiling_n": None}
        message = InfoMessage(
            version=self.version,
            machine=MachineInfo(id=self.machine, kind=kind, working_load_n=load_n, plates_kg=plates_kg, **limits),
            protocol=ProtocolInfo(name=tempo, positive_s=5.0, negative_s=5.0, starts_with="positive", band=band),
            firmware=None,
            link=LinkInfo(state="live"),
            delivery=Delivery(),
            session=self.session,
            recording="on",
            fault=None,
            range_trouble=range_trouble,
        )
        self.publish(payload.info(self.tree, message))

    def event(self, kind: type[Kind], *, historical: bool = False, topic: str | None = None, **fields: Any) -> Kind:
        """Publishes a record of the second repetition of set 1, unless `fields` say otherwise."""
        self._last_id += 1
        common = {
            "id": self._last_id, "session": self.session, "set": 1, "t_s": self.t_s, "found_s": self.t_s,
            "duration_s": 0.0, "rep": 2, "phase": "positive", "position_m": 0.2,
        }  # fmt: skip
        record = kind(**{**common, **fields})
        envelope = Envelope(seq=self._last_id, store_id="store", historical=historical)
        packet = payload.event(self.tree, record.kind, encode(record), envelope)
        if topic is not None:
            packet = packet._replace(topic=self.tree.topic(topic))
        self.publish(packet)
        if isinstance(record, SetEnd) and not historical:
            self.publish(payload.last_set(self.tree, encode(record), envelope))
        return record

    def end_set(self, **fields: Any) -> SetEnd:
        summary = {
            "rep": None, "phase": "rest", "reps": 6, "partial_reps": 1, "clean_reps": 3, "set_s": 62.4,
            "under_load_s": 62.4, "under_tension_s": 47.1, "leak": LEAK, "counts": {"jerk": 2, "lockout_rest": 3},
            "working_load_n": 804.0,
            "working_load_from": "learned", "friction": 0.08, "friction_from": "learned", "skill": 0.755,
            "strength_n": 804.0, "outcome": "failure",
        }  # fmt: skip
        return self.event(SetEnd, **{**summary, **fields})

    def resumed(self) -> list[tuple[str, int, str]]:
        """Which client has asked for the events after which one, and of which store."""
        asked = [command for name, command in self.commands if name == "resume"]
        return [(command["client"], command["after"], command["store_id"]) for command in asked]

    def end_resume(self, client: str) -> None:
        """Publishes that this client has received all that it asked for."""
        mark = ResumeMark(mark="end", id="c-1", store_id="store", after=0, first_seq=1, last_seq=self._last_id)
        self.publish(payload.answer_mark(self.tree, "resume", client, mark))

    def break_broker(self) -> None:
        if self._is_up:
            self._do(self._broker_down())

    def mend_broker(self) -> None:
        """On the same port, with nothing remembered."""
        self._do(self._broker_up())
        self.status(conn=2)

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _down(self) -> None:
        if self._is_up:
            await self._broker_down()
        await self._loop.shutdown_default_executor()

    async def _broker_up(self) -> None:
        self._broker = await EmbeddedBroker().__aenter__()
        self._client = aiomqtt.Client("127.0.0.1", self._broker.port, identifier="rep-monitor-stage")
        await self._client.__aenter__()
        await self._client.subscribe(self.tree.topic("cmd", "+"), 1)
        self._listener = asyncio.create_task(self._listen(self._client))
        profile = Profile(
            machine=MachineSettings(id=self.machine, kind="stack"),
            mqtt=MqttSettings(root=self.tree.root),
            display=DisplaySettings(port=self._port, tls_port=0, **self._settings),
        )
        self._server = await PageServer(
            profile,
            self._broker,
            self._history if self.history else None,
            recent=lambda: self.recent or {},
            tokens=self._tokens,
            tls=self._tls,
        ).__aenter__()
        self._port = self._server.port
        self._is_up = True
        self._player = asyncio.create_task(self._play())

    async def _broker_down(self) -> None:
        self._is_up = False
        self.stops += 1
        self._player.cancel()  # before the client, which it would use in vain
        await asyncio.gather(self._player, return_exceptions=True)
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        await self._client.__aexit__(None, None, None)
        await self._server.__aexit__(None, None, None)
        await self._broker.__aexit__(None, None, None)

    def _history(self) -> dict[str, Any]:
        return self.history or {}

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            name, command = str(message.topic).rsplit("/", 1)[-1], msgspec.json.decode(message.payload)
            self.commands.append((name, command))
            if name in self.answers:
                answer = AckMessage(**{"id": command["id"], "ok": True, "stamp_s": time.time(), **self.answers[name]})
                await _publish(client, payload.ack(self.tree, answer))

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            with contextlib.suppress(aiomqtt.MqttError):  # one feedback is lost, and the next one comes
                await self._next()

    async def _next(self) -> None:
        self.t_s = round(self.t_s + self.step_s, 6)
        if self.feedback is not None and not self._listener.done():
            await self._send(self.feedback, PATIENT_HZ)

    async def _send(self, feedback: Feedback, hz: float) -> None:
        packet = payload.live(self.tree, self.session, msgspec.structs.replace(feedback, t_s=self.t_s), hz)
        self.sent.append((self.t_s, time.time()))
        await _publish(self._client, packet)


async def _publish(client: aiomqtt.Client, packet: Packet) -> None:
    """Raises a cancellation again that `asyncio.wait_for`, which aiomqtt uses, can swallow in Python 3.11."""
    await client.publish(packet.topic, packet.payload, packet.qos)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
