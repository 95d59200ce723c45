"""Decides which machines are asked for their events and sets, a few at a time. Pure: it is given the time.

A broker holds a limited number of messages for a slow reader, so a thousand machines must not answer at once.
"""

from collections.abc import Iterable
from typing import Literal

from monitor.gym.collector.machine import CollectedMachine

AT_ONCE = 4
GRACE_S = 0.5  # for messages that are on their way
ASK_PERIOD_S = 1.1  # a machine answers each client once a second
SILENT_S = 5.0  # after which an answer has ended
LAST_RETRY_S = 30.0
SILENT_TRIES = 3  # a broker of MQTT 3.1.1 does not say that it refuses `sets`
Question = Literal["resume", "sets"]


class Backlog:
    """The machines that are behind, in the order in which they fell behind."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._behind: dict[CollectedMachine, float] = {}  # since when
        self._asked: dict[CollectedMachine, Question] = {}  # and not answered completely
        self._heard_s: dict[CollectedMachine, float] = {}
        self._not_before_s: dict[CollectedMachine, float] = {}
        self._tries: dict[CollectedMachine, int] = {}

    def look_at(self, machine: CollectedMachine, now_s: float) -> None:
        """To be called when something of the machine has changed."""
        if machine.ledger.behind or machine.sets_wanted:
            self._behind.setdefault(machine, now_s)
        else:
            self._behind.pop(machine, None)
            self._tries.pop(machine, None)

    def heard(self, machine: CollectedMachine, now_s: float) -> None:
        """A part of an answer has come."""
        self._heard_s[machine] = now_s
        self._tries.pop(machine, None)

    @property
    def idle(self) -> bool:
        """True if nobody is behind."""
        return not self._behind

    def has_ended(self, machine: CollectedMachine, now_s: float) -> bool:
        """True if the machine's answer is complete, so that another one can be asked."""
        question = self._asked.get(machine)
        return question is not None and self._has_ended(machine, question, now_s)

    def again(self, machine: CollectedMachine, now_s: float, after_s: float = 0.0) -> None:
        """The machine has refused to answer."""
        self._asked.pop(machine, None)
        self._not_before_s[machine] = now_s + after_s

    def begin_connection(self, machines: Iterable[CollectedMachine], now_s: float) -> None:
        for table in (self._behind, self._asked, self._heard_s, self._not_before_s, self._tries):
            table.clear()
        for machine in machines:
            self._behind[machine] = now_s - GRACE_S

    def next(self, now_s: float) -> list[tuple[CollectedMachine, Question]]:
        """Whom to ask now, and for what."""
        for machine, question in list(self._asked.items()):
            if self._has_ended(machine, question, now_s):
                del self._asked[machine]
                self.look_at(machine, now_s)
        asking: list[tuple[CollectedMachine, Question]] = []
        for machine, since_s in self._behind.items():
            if len(self._asked) >= self._at_once:
                break
            if machine in self._asked or not machine.reachable or now_s < self._not_before_s.get(machine, 0.0):
                continue
            if machine.ledger.behind and not machine.ledger.must_ask and now_s < since_s + GRACE_S:
                continue
            asks: Question = "resume" if machine.ledger.behind else "sets"
            asking.append((machine, asks))
            tries = self._tries[machine] = self._tries.get(machine, 0) + 1
            if asks == "sets" and tries > SILENT_TRIES:
                machine.refused = "it has not answered"
            self._asked[machine] = asks
            self._heard_s[machine] = now_s
            self._not_before_s[machine] = now_s + min(ASK_PERIOD_S * 2 ** (tries - 1), LAST_RETRY_S)
        return asking

    def _has_ended(self, machine: CollectedMachine, question: Question, now_s: float) -> bool:
        if question == "resume":
            answering, wanted = machine.ledger.answering, machine.ledger.must_ask
        else:
            answering, wanted = machine.sets_answering, machine.sets_wanted
        silent_s = now_s - self._heard_s[machine]
        return (not answering and not wanted) or not machine.reachable or silent_s > SILENT_S
