"""Answers `resume` and `sets` from the store: the records after the client's last one, between two marks.

All answers together have one rate, and at most some clients are answered at the same time. An answer ends when nobody
listens any more, as far as the broker says that.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from monitor.mqtt.client.channel import Channel, PublishRefused
from monitor.mqtt.client.event_log import EventLog
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import CommandRefused, ResumeCommand, SetsCommand
from monitor.mqtt.contract.messages import Delivery, Envelope, ResumeMark, SetEnvelope
from monitor.mqtt.contract.payload import Answer, Packet
from monitor.mqtt.contract.topics import TopicTree
from monitor.store.database import StoreError
from monitor.store.stored import StoredEvent, StoredSet
from monitor.worker_thread import finished

ASK_PERIOD_S = 1.0  # of one client
CLIENTS = 16  # at the same time
REMEMBERED_CLIENTS = 1000
BATCH = 128  # records read from the store at once
RECORDS_HZ = 2000.0  # in all answers together
IN_FLIGHT = 8  # for one client, so that live events are published at the same time


class StoreAnswers:
    """Used over all connections. `running`: by command and client."""

    def __init__(
        self,
        tree: TopicTree,
        log: EventLog,
        envelope: Callable[[StoredEvent], Envelope],
        delivery: Delivery,
    ) -> None:
        self.running: dict[tuple[Answer, str], asyncio.Task[None]] = {}
        self._tree = tree
        self._log = log
        self._envelope = envelope
        self._delivery = delivery
        self._next_batch_s = 0.0  # of all answers
        self._asked_s: OrderedDict[tuple[Answer, str], float] = OrderedDict()

    def start(self, channel: Channel, group: asyncio.TaskGroup, command: ResumeCommand | SetsCommand) -> None:
        """Begins an answer in `group`, in place of the client's earlier one. Raises CommandRefused."""
        key: tuple[Answer, str] = ("resume" if isinstance(command, ResumeCommand) else "sets", command.client)
        now_s, last_s = asyncio.get_running_loop().time(), self._asked_s.get(key)
        if last_s is not None and now_s - last_s < ASK_PERIOD_S:
            raise CommandRefused("too_many", f"send {key[0]} at most once in {ASK_PERIOD_S:g} s", command.id)
        running = self.running.pop(key, None)
        if running is not None:
            running.cancel()
        elif len(self.running) >= CLIENTS:
            raise CommandRefused("too_many", f"{CLIENTS} other clients are being answered", command.id)
        self._asked_s[key] = now_s
        self._asked_s.move_to_end(key)
        while len(self._asked_s) > REMEMBERED_CLIENTS:
            self._asked_s.popitem(last=False)
        task = group.create_task(self._answer(channel, command, key[0]), name=f"publisher: {key[0]} {command.client}")
        self.running[key] = task
        task.add_done_callback(partial(self._ended, key))
        self._delivery.resumes += 1

    def _ended(self, key: tuple[Answer, str], task: asyncio.Task[None]) -> None:
        if self.running.get(key) is task:
            del self.running[key]

    async def _answer(self, channel: Channel, command: ResumeCommand | SetsCommand, kind: Answer) -> None:
        """Publishes all records after `after`, also those that are stored in the meantime.

        Before an event whose predecessors the store cannot read, another mark says so; otherwise the client would ask
        for them again and again.
        """
        store_id = self._log.store_id
        if store_id is None:
            return  # the store is not open: the client asks again
        known = command.store_id in (None, store_id)
        seq = min(command.after, self._log.last_seq) if known else 0
        mark = partial(self._mark, channel, command, kind, store_id)
        await mark("begin", seq)
        seq = max(seq, self._log.first_seq - 1)
        read = self._log.after if kind == "resume" else self._log.sets_after
        last_seq = self._log.last_seq  # stored before the read that finds no more
        try:
            while records := await finished(partial(read, seq, BATCH)):
                if records[0].store_id != store_id:
                    return  # the store was replaced: the client sees that in the status and asks again
                for run in _runs(records) if kind == "resume" else [records]:
                    if kind == "resume" and run[0].seq > seq + 1:
                        await mark("begin", seq, run[0].seq)
                    if not await self._publish_all(channel, kind, command.client, run):
                        self._delivery.resumes_abandoned += 1
                        return
                    seq = run[-1].seq
                self._delivery.events_resumed += len(records)
                await self._pace(len(records))
                last_seq = self._log.last_seq
        except StoreError:
            self._delivery.store_failures += 1
            return
        if kind == "resume" and last_seq > seq:
            await mark("begin", seq, last_seq + 1)
        await mark("end", max(seq, last_seq))

    async def _publish_all(self, channel: Channel, kind: Answer, client: str, records: Sequence[StoredEvent]) -> bool:
        """Publishes in order, a few at a time. Returns when the broker has accepted all: False if no client listens."""
        free = asyncio.Semaphore(IN_FLIGHT)
        tasks = []
        async with asyncio.TaskGroup() as publishing:
            for record in records:
                await free.acquire()
                packet = payload.answered(self._tree, kind, client, record.record, self._enveloped(record))
                tasks.append(publishing.create_task(self._publish(channel, packet)))
                tasks[-1].add_done_callback(lambda _: free.release())
        return tasks[-1].result()

    def _enveloped(self, record: StoredEvent) -> Envelope:
        envelope = self._envelope(record)
        if not isinstance(record, StoredSet):
            return envelope
        return SetEnvelope(
            seq=envelope.seq,
            store_id=envelope.store_id,
            historical=envelope.historical,
            lifter=record.lifter,
            ended_unix_s=record.stored_unix_s,
        )

    async def _pace(self, records: int) -> None:
        """Limits the rate of all answers together, to leave the processor to live events and feedback."""
        now_s = asyncio.get_running_loop().time()
        self._next_batch_s = max(now_s, self._next_batch_s) + records / RECORDS_HZ
        await asyncio.sleep(self._next_batch_s - now_s)

    async def _mark(
        self,
        channel: Channel,
        command: ResumeCommand | SetsCommand,
        kind: Answer,
        store_id: str,
        which: Literal["begin", "end"],
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
        await self._publish(channel, payload.answer_mark(self._tree, kind, command.client, mark))

    async def _publish(self, channel: Channel, packet: Packet) -> bool:
        """True if a client listens, or if the broker cannot report that."""
        try:
            return await channel.publish(packet)
        except PublishRefused:
            self._delivery.publishes_refused += 1
            return True


def _runs(events: Sequence[StoredEvent]) -> list[list[StoredEvent]]:
    """The events in parts without a gap."""
    runs: list[list[StoredEvent]] = []
    for event in events:
        if runs and event.seq == runs[-1][-1].seq + 1:
            runs[-1].append(event)
        else:
            runs.append([event])
    return runs
