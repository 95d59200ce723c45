"""Takes what the machines publish: each message changes its machine, and leaves what is to be stored."""

import asyncio
import time

import msgspec

from monitor.events import UNREADABLE
from monitor.gym.collector.backlog import Backlog
from monitor.gym.collector.due import Due
from monitor.gym.collector.known_machines import KnownMachines
from monitor.gym.collector.machine import CollectedMachine
from monitor.gym.collector.questions import Questions
from monitor.gym.collector.rows import UnreadableRecord, set_row
from monitor.mqtt.client.channel import Received
from monitor.mqtt.contract.messages import AckMessage, ResumeMark

_MARK = msgspec.json.Decoder(ResumeMark)


class Intake:
    """`name` is the collector's: answers to others are left alone."""

    def __init__(self, name: str, machines: KnownMachines, due: Due, backlog: Backlog, questions: Questions) -> None:
        self.answer_ended = asyncio.Event()  # another machine can be asked
        self._name = name
        self._machines = machines
        self._due = due
        self._backlog = backlog
        self._questions = questions

    def take(self, message: Received, now_s: float) -> None:
        """`now_s`: of the event loop. What cannot be read is counted."""
        machine = self._machines.of_topic(message.topic)
        if machine is None:
            return
        machine.seen_unix_s = time.time()
        match machine.tree.levels(message.topic):
            case ["event", _]:
                self._take_record(machine, message.payload)
            case ["resume", name] if name == self._name:
                self._backlog.heard(machine, now_s)
                self._take_record(machine, message.payload)
            case ["sets", name] if name == self._name:
                self._backlog.heard(machine, now_s)
                self._take_set(machine, message.payload)
            case ["state"]:
                machine.take_state(message.payload)
                return
            case ["status"]:
                machine.take_status(message.payload)
                self._due.undescribed[machine] = None
                self._due.something.set()
            case ["info"]:
                machine.take_info(message.payload)
                self._due.undescribed[machine] = None
            case ["ack", id] if self._questions.is_ours(id):
                self._take_ack(machine, message.payload, now_s)
        if self._backlog.has_ended(machine, now_s):
            self.answer_ended.set()
        self._backlog.look_at(machine, now_s)

    def _take_record(self, machine: CollectedMachine, data: bytes) -> None:
        if not self._due.has_room:
            machine.ledger.must_ask = True
            return
        before = machine.ledger.lost
        records = machine.ledger.take(data)
        self._due.records.extend((machine, record) for record in records)
        if records or machine.ledger.lost > before:
            self._due.moved[machine] = None
            self._due.something.set()

    def _take_set(self, machine: CollectedMachine, data: bytes) -> None:
        if not self._due.taking:
            return
        try:
            machine.take_sets_mark(_MARK.decode(data))
        except UNREADABLE:
            try:
                self._due.sets.append(set_row(machine.tree, data, time.time()))
            except UnreadableRecord:
                machine.unreadable += 1
        self._due.moved[machine] = None
        self._due.something.set()

    def _take_ack(self, machine: CollectedMachine, data: bytes, now_s: float) -> None:
        try:
            ack = msgspec.json.decode(data, type=AckMessage)
        except UNREADABLE:
            machine.unreadable += 1
            return
        if self._questions.answered(ack) or ack.ok:
            return
        if ack.error == "stale":
            machine.clock_ahead_s = ack.stamp_s - time.time()
            self._backlog.again(machine, now_s)
        elif ack.error == "unknown":
            machine.refused, machine.sets_wanted = ack.detail or "it does not know the command", False
