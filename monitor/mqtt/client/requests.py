"""Checks the commands of clients, carries each out once, and acknowledges it.

`resume` and `sets` are answered from the store (`StoreAnswers`). The other commands go to the daemon's handler. A
repeated command gets the same acknowledgement and has no second effect.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable

from monitor.mqtt.client.answers import StoreAnswers
from monitor.mqtt.client.channel import Channel, PublishRefused
from monitor.mqtt.contract import payload
from monitor.mqtt.contract.commands import (
    Command,
    CommandRefused,
    ForgetCommand,
    ResumeCommand,
    SetsCommand,
    read_command,
)
from monitor.mqtt.contract.messages import AckMessage, Delivery
from monitor.mqtt.contract.payload import Packet
from monitor.mqtt.contract.topics import TopicTree

REMEMBERED_IDS = 1000
COMMANDS_A_SECOND = 5

# Carries a command out, and returns a sentence on what was done where that is not obvious. Raises
# CommandRefused("refused", why).
Handler = Callable[[Command], Awaitable[str | None]]


class Requests:
    """Used over all connections."""

    def __init__(self, tree: TopicTree, answers: StoreAnswers, handler: Handler, delivery: Delivery) -> None:
        self.slow: set[asyncio.Task[None]] = set()  # commands that are being carried out
        self._tree = tree
        self._answers = answers
        self._handler = handler
        self._delivery = delivery
        self._acknowledged: OrderedDict[str, AckMessage] = OrderedDict()
        self._recent_s: deque[float] = deque(maxlen=COMMANDS_A_SECOND)

    async def take(self, channel: Channel, group: asyncio.TaskGroup, name: str, data: bytes, retained: bool) -> None:
        """Takes a message of a command topic. A retained one is refused, and removed from the broker."""
        if retained and not data:
            return  # the removal of a retained one
        if retained:
            await self._publish(channel, payload.cleared(self._tree.topic("cmd", name)))
        self._delivery.commands += 1
        try:
            command = read_command(name, data, retained=retained, now_s=time.time())
        except CommandRefused as refusal:
            await self._refuse(channel, refusal)
            return
        work = self._acknowledge(channel, group, command)
        if isinstance(command, ForgetCommand):  # it waits for the disk, and others must not wait for it
            task = group.create_task(work, name="publisher: forget")
            self.slow.add(task)
            task.add_done_callback(self.slow.discard)
        else:
            await work

    async def _acknowledge(self, channel: Channel, group: asyncio.TaskGroup, command: Command) -> None:
        if (answer := self._acknowledged.get(command.id)) is None:
            try:
                detail = await self._carry_out(channel, group, command)
            except CommandRefused as refusal:
                await self._refuse(channel, CommandRefused(refusal.reason, str(refusal), command.id))
                return
            answer = AckMessage(id=command.id, ok=True, stamp_s=time.time(), detail=detail)
            self._remember(answer)
        await self._publish(channel, payload.ack(self._tree, answer))

    async def _refuse(self, channel: Channel, refusal: CommandRefused) -> None:
        refused = self._delivery.commands_refused
        refused[refusal.reason] = refused.get(refusal.reason, 0) + 1
        if refusal.id is None:
            return  # without an id no answer is possible
        error, detail = refusal.reason, str(refusal)
        answer = AckMessage(id=refusal.id, ok=False, stamp_s=time.time(), error=error, detail=detail)
        await self._publish(channel, payload.ack(self._tree, answer))

    async def _carry_out(self, channel: Channel, group: asyncio.TaskGroup, command: Command) -> str | None:
        if isinstance(command, ResumeCommand | SetsCommand):
            self._answers.start(channel, group, command)
            return None
        now_s = asyncio.get_running_loop().time()
        if len(self._recent_s) == COMMANDS_A_SECOND and now_s - self._recent_s[0] < 1.0:
            raise CommandRefused("too_many", f"at most {COMMANDS_A_SECOND} commands a second")
        self._recent_s.append(now_s)
        return await self._handler(command)

    async def _publish(self, channel: Channel, packet: Packet) -> None:
        try:
            await channel.publish(packet)
        except PublishRefused:
            self._delivery.publishes_refused += 1

    def _remember(self, answer: AckMessage) -> None:
        self._acknowledged[answer.id] = answer
        while len(self._acknowledged) > REMEMBERED_IDS:
            self._acknowledged.popitem(last=False)
