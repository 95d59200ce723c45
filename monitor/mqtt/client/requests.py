"""Checks the commands of clients, carries each out once, and answers on a topic of its own.

`resume` is answered here, from the store: the records after the client's last one, between two marks, on a topic of
that client. The other commands go to the daemon's handler. A repeated command gets the same answer and has no second
effect.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Literal

from monitor.mqtt.client.connection import Connection, PublishRefused
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import Command, CommandRefused, ResumeCommand, read_command
from monitor.mqtt.contract.messages import AckMessage, Delivery, Envelope, ResumeMark
from monitor.mqtt.contract.payload import Packet
from monitor.store.database import StoreError
from monitor.store.stored import StoredEvent

REMEMBERED_IDS = 1000
COMMANDS_A_SECOND = 5
RESUME_PERIOD_S = 1.0  # of one client
RESUMING_CLIENTS = 16  # at the same time
RESUME_BATCH = 128  # records read from the store at once
RESUMED_HZ = 2000.0  # events per second in all answers together
RESUME_IN_FLIGHT = 8  # for one client, so that live events are published at the same time

Listens = Callable[[str], bool]  # true if a topic has a subscriber; only for a broker that can be asked
Handler = Callable[[Command], Awaitable[None]]  # carries a command out, or raises CommandRefused("refused", why)


class Requests:
    """Used over all connections. `answering`: the running answers to `resume`, by client."""

    def __init__(
        self,
        machine: str,
        log: EventLog,
        handler: Handler,
        envelope: Callable[[StoredEvent], Envelope],
        delivery: Delivery,
        listens: Listens | None = None,
    ) -> None:
        self.answering: dict[str, asyncio.Task[None]] = {}
        self._machine = machine
        self._log = log
        self._handler = handler
        self._envelope = envelope
        self._delivery = delivery
        self._listens = listens
        self._next_batch_s = 0.0  # of all answers to `resume`
        self._answers: OrderedDict[str, AckMessage] = OrderedDict()
        self._recent_s: deque[float] = deque(maxlen=COMMANDS_A_SECOND)
        self._resumed_s: OrderedDict[str, float] = OrderedDict()

    async def take(
        self, connection: Connection, group: asyncio.TaskGroup, name: str, data: bytes, retained: bool
    ) -> None:
        """Takes a message of a command topic. A retained one is refused, and removed from the broker."""
        if retained and not data:
            return  # the removal of a retained one
        if retained:
            await self._publish(connection, payload.cleared(payload.topic(self._machine, "cmd", name)))
        self._delivery.commands += 1
        try:
            command = read_command(name, data, retained=retained, now_s=time.time())
            if (answer := self._answers.get(command.id)) is None:
                await self._carry_out(connection, group, command)
                answer = AckMessage(id=command.id, ok=True, stamp_s=time.time())
                self._remember(answer)
        except CommandRefused as refusal:
            refused = self._delivery.commands_refused
            refused[refusal.reason] = refused.get(refusal.reason, 0) + 1
            if refusal.id is None:
                return  # without an id no answer is possible
            error, detail = refusal.reason, str(refusal)
            answer = AckMessage(id=refusal.id, ok=False, stamp_s=time.time(), error=error, detail=detail)
        await self._publish(connection, payload.ack(self._machine, answer))

    async def _carry_out(self, connection: Connection, group: asyncio.TaskGroup, command: Command) -> None:
        now_s = asyncio.get_running_loop().time()
        if isinstance(command, ResumeCommand):
            self._resume(connection, group, command, now_s)
            return
        if len(self._recent_s) == COMMANDS_A_SECOND and now_s - self._recent_s[0] < 1.0:
            raise CommandRefused("too_many", f"at most {COMMANDS_A_SECOND} commands a second", command.id)
        self._recent_s.append(now_s)
        try:
            await self._handler(command)
        except CommandRefused as refusal:
            raise CommandRefused(refusal.reason, str(refusal), command.id) from refusal

    def _resume(self, connection: Connection, group: asyncio.TaskGroup, command: ResumeCommand, now_s: float) -> None:
        last_s = self._resumed_s.get(command.client)
        if last_s is not None and now_s - last_s < RESUME_PERIOD_S:
            raise CommandRefused("too_many", f"send resume at most once in {RESUME_PERIOD_S:g} s", command.id)
        running = self.answering.pop(command.client, None)
        if running is not None:
            running.cancel()
        elif len(self.answering) >= RESUMING_CLIENTS:
            raise CommandRefused("too_many", f"{RESUMING_CLIENTS} other clients are being answered", command.id)
        self._resumed_s[command.client] = now_s
        self._resumed_s.move_to_end(command.client)
        while len(self._resumed_s) > REMEMBERED_IDS:
            self._resumed_s.popitem(last=False)
        task = group.create_task(self._answer(connection, command), name=f"publisher: resume {command.client}")
        self.answering[command.client] = task
        task.add_done_callback(partial(self._answered, command.client))
        self._delivery.resumes += 1

    def _answered(self, client: str, task: asyncio.Task[None]) -> None:
        if self.answering.get(client) is task:
            del self.answering[client]

    async def _answer(self, connection: Connection, command: ResumeCommand) -> None:
        """Publishes all stored events after `after`, also those that are stored in the meantime.

        Ends when nobody listens any more, as far as the broker says that. Before a record whose predecessors the store
        cannot read, another mark says so; otherwise the client would ask for them again and again.
        """
        store_id = self._log.store_id
        if store_id is None:
            return  # the store is not open: the client asks again
        known = command.store_id in (None, store_id)
        seq = min(command.after, self._log.last_seq) if known else 0
        await self._mark(connection, command, "begin", store_id, seq)
        seq = max(seq, self._log.first_seq - 1)
        last_seq = self._log.last_seq  # stored before the read that finds no more
        try:
            while events := await asyncio.to_thread(self._log.after, seq, RESUME_BATCH):
                if events[0].store_id != store_id:
                    return  # the store was replaced: the client sees that in the status and asks again
                for run in _runs(events):
                    if run[0].seq > seq + 1:
                        await self._mark(connection, command, "begin", store_id, seq, run[0].seq)
                    if not await self._publish_all(connection, command.client, run):
                        self._delivery.resumes_abandoned += 1
                        return
                    seq = run[-1].seq
                self._delivery.events_resumed += len(events)
                await self._pace(len(events))
                last_seq = self._log.last_seq
        except StoreError:
            self._delivery.store_failures += 1
            return
        if last_seq > seq:
            await self._mark(connection, command, "begin", store_id, seq, last_seq + 1)
        await self._mark(connection, command, "end", store_id, max(seq, last_seq))

    async def _publish_all(self, connection: Connection, client: str, events: Sequence[StoredEvent]) -> bool:
        """Publishes in order, a few at a time. Returns when the broker has accepted all: False if no client listens."""
        free = asyncio.Semaphore(RESUME_IN_FLIGHT)
        tasks = []
        async with asyncio.TaskGroup() as publishing:
            for event in events:
                await free.acquire()
                packet = payload.resumed(self._machine, client, event.record, self._envelope(event))
                tasks.append(publishing.create_task(self._publish(connection, packet)))
                tasks[-1].add_done_callback(lambda _: free.release())
        return tasks[-1].result() and (self._listens is None or self._listens(packet.topic))

    async def _pace(self, events: int) -> None:
        """Limits the rate of all answers together, to leave the processor to live events and feedback."""
        now_s = asyncio.get_running_loop().time()
        self._next_batch_s = max(now_s, self._next_batch_s) + events / RESUMED_HZ
        await asyncio.sleep(self._next_batch_s - now_s)

    async def _mark(
        self,
        connection: Connection,
        command: ResumeCommand,
        which: Literal["begin", "end"],
        store_id: str,
        after: int,
        first_seq: int | None = None,
    ) -> None:
        """`first_seq`: of the records that follow, where some before it cannot be read."""
        mark = ResumeMark(
            mark=which,
            id=command.id,
            store_id=store_id,
            after=after,
            first_seq=self._log.first_seq if first_seq is None else first_seq,
            last_seq=self._log.last_seq,
        )
        await self._publish(connection, payload.resume_mark(self._machine, command.client, mark))

    async def _publish(self, connection: Connection, packet: Packet) -> bool:
        """True if a client listens, or if the broker cannot report that."""
        try:
            return await connection.publish(packet)
        except PublishRefused:
            self._delivery.publishes_refused += 1
            return True

    def _remember(self, answer: AckMessage) -> None:
        self._answers[answer.id] = answer
        while len(self._answers) > REMEMBERED_IDS:
            self._answers.popitem(last=False)


def _runs(events: Sequence[StoredEvent]) -> list[list[StoredEvent]]:
    """The events in parts without a gap."""
    runs: list[list[StoredEvent]] = []
    for event in events:
        if runs and event.seq == runs[-1][-1].seq + 1:
            runs[-1].append(event)
        else:
            runs.append([event])
    return runs
