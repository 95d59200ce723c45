"""Receives what one machine shows live: the newest message of each kind, and the last events.

    viewer = Viewer(find)
    await viewer.run()          until cancelled; `viewer.news` is set after each message

`find` returns machine and broker before each connection, because a daemon may come back on another port. Memory is
constant.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from uuid import uuid4

import msgspec

from monitor.events import UNREADABLE, AnyEvent, SetEnd, decode
from monitor.mqtt.client.address import Address
from monitor.mqtt.client.backoff import Backoff
from monitor.mqtt.client.channel import BrokerError, BrokerRefuses, Received
from monitor.mqtt.client.connection import Connection, connect
from monitor.mqtt.contract.messages import InfoMessage, LiveMessage, StatusMessage
from monitor.mqtt.contract.topics import ROOT, TopicTree, tree_of

EVENTS_KEPT = 50
FIRST_RETRY_S, LAST_RETRY_S = 0.5, 5.0  # a person is waiting
RETAINED_WITHIN_S = 1.0  # a broker sends retained messages at once
_LIVE, _STATUS, _INFO = (
    msgspec.json.Decoder(LiveMessage),
    msgspec.json.Decoder(StatusMessage),
    msgspec.json.Decoder(InfoMessage),
)
Find = Callable[[], Awaitable[tuple[TopicTree, Address]]]


class Viewer:
    """The newest of everything; times `at_s` are those of the event loop."""

    def __init__(self, find: Find, on_event: Callable[[AnyEvent], None] = lambda record: None) -> None:
        self.news = asyncio.Event()
        self.tree: TopicTree | None = None
        self.connected = False
        self.connected_at_s = 0.0
        self.connections = 0
        self.failures = 0
        self.malformed = 0
        self.trouble: str | None = None  # why there is no connection
        self.status: StatusMessage | None = None
        self.info: InfoMessage | None = None
        self.live: LiveMessage | None = None
        self.live_at_s: float | None = None  # when feedback last had a new `t_s`
        self.last_set: SetEnd | None = None
        self.events: deque[AnyEvent] = deque(maxlen=EVENTS_KEPT)  # each once, by its newest record
        self._find = find
        self._on_event = on_event
        self._name = f"watch-{uuid4().hex[:12]}"

    async def run(self) -> None:
        """Runs until it is cancelled. Raises BrokerRefuses if the broker refuses the first connection."""
        backoff = Backoff(FIRST_RETRY_S, LAST_RETRY_S)
        while True:
            try:
                self.tree, address = await self._find()
                async with connect(address, self._name) as connection:
                    backoff.reset()
                    await self._follow(connection, self.tree)
            except BrokerError as error:
                if isinstance(error, BrokerRefuses) and not self.connections:
                    raise
                self.failures += 1
                self.trouble = str(error)
            finally:
                self.connected = False
                self.news.set()
            await asyncio.sleep(backoff.next_s())

    async def _follow(self, connection: Connection, tree: TopicTree) -> None:
        wanted = (("status",), ("info",), ("set",), ("live", "feedback"), ("event", "+"))
        await connection.subscribe([tree.topic(*levels) for levels in wanted])
        self.connections += 1
        self.connected, self.connected_at_s, self.trouble = True, asyncio.get_running_loop().time(), None
        self.news.set()
        async for message in connection.messages():
            try:
                self._take(tree.levels(message.topic)[0], message)
            except UNREADABLE:
                self.malformed += 1
            self.news.set()

    def _take(self, kind: str, message: Received) -> None:
        if not message.payload:  # the removal of a retained message
            return
        if kind == "live" and not message.retained:
            self._take_live(_LIVE.decode(message.payload))
        elif kind == "status":
            status = _STATUS.decode(message.payload)
            outdated = status.state == "offline" and self.status is not None and status.conn < self.status.conn
            self.status = self.status if outdated else status
        elif kind == "info":
            self.info = _INFO.decode(message.payload)
        elif kind == "event":
            self._take_event(decode(message.payload))
        elif kind == "set" and isinstance(record := decode(message.payload), SetEnd):
            self.last_set = record

    def _take_live(self, live: LiveMessage) -> None:
        """Takes feedback; `live_at_s` moves only if its time is new."""
        if self.live is not None and self.live.session != live.session:
            self.events.clear()
        if self.live is None or self.live.t_s != live.t_s:
            self.live_at_s = asyncio.get_running_loop().time()
        self.live = live

    def _take_event(self, record: AnyEvent) -> None:
        """Takes an event; a closing record replaces its opening one."""
        self._on_event(record)
        if isinstance(record, SetEnd):
            self.last_set = record
        for at, known in enumerate(self.events):
            if (known.session, known.id) == (record.session, record.id):
                self.events[at] = record
                return
        self.events.append(record)


def sole_machine(connection_of: Address, root: str = ROOT) -> Find:
    """Finds the only machine below the root by its retained status. Raises BrokerRefuses for another number."""

    async def find() -> tuple[TopicTree, Address]:
        async with connect(connection_of, f"watch-{uuid4().hex[:12]}") as connection:
            await connection.subscribe([TopicTree("+", root).topic("status")])
            await asyncio.sleep(RETAINED_WITHIN_S)  # and not a timeout, which can come before messages that are there
            trees = {tree for message in connection.arrived() if (tree := tree_of(message.topic, root))}
        if len(trees) != 1:
            known = ", ".join(sorted(tree.machine for tree in trees)) or "no machine"
            below = "" if root == ROOT else f" below {root}"
            raise BrokerRefuses(f"name the machine: the broker at {connection_of} has {known}{below}")
        return trees.pop(), connection_of

    return find
