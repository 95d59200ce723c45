"""What the collector knows of one machine: its place in the machine's store, and the newest it has said. Pure."""

import msgspec

from monitor.events import UNREADABLE
from monitor.mqtt.client.ledger import Ledger
from monitor.mqtt.contract.commands import MAX_AGE_S, Command, ForgetCommand, LifterCommand, StopCommand
from monitor.mqtt.contract.messages import VERSION, InfoMessage, ResumeMark, StateMessage, StatusMessage
from monitor.mqtt.contract.topics import TopicTree

SETTLING_S = 3.0  # load and protocol, sent together with the lifter, end the session, too, and keep the lifter
MOST_WAITING = 100  # events behind a gap; more would fill the memory where many machines have a backlog


class MachineNow(msgspec.Struct, frozen=True, kw_only=True):
    """A machine on the floor, now."""

    status: StatusMessage | None
    info: InfoMessage | None
    state: StateMessage | None
    state_unix_s: float | None  # when it came
    lifter: str | None  # the client whom the machine has last accepted; None where nobody lifts, or nobody knows who
    seen_unix_s: float  # its last message
    missing: int  # events that its store has and the database has not
    trouble: str | None  # one sentence for a person

    @property
    def online(self) -> bool:
        return self.status is not None and self.status.state == "online"


class Place(msgspec.Struct, frozen=True):
    """How far a machine is collected: a row of `machines`."""

    store_id: str | None = None
    seq: int = 0
    sets_seq: int = 0
    lost: int = 0


class CollectedMachine:
    """`place` is what must be stored together with the records that `ledger` has returned so far."""

    def __init__(self, tree: TopicTree, place: Place, now_unix_s: float) -> None:
        self.tree = tree
        self.seen_unix_s = now_unix_s
        self.status: StatusMessage | None = None
        self.info: InfoMessage | None = None
        self.lifter: str | None = None
        self._lifter_unix_s = 0.0
        self._session_open = False  # since the lifter was accepted
        self._state_data: bytes | None = None
        self._state: StateMessage | None = None
        self._state_unix_s: float | None = None
        self.unreadable = 0
        self.other_version: object = None  # of the contract, which this program does not know
        self.refused: str | None = None  # why it does not answer `sets`
        self.clock_ahead_s = 0.0  # its wall clock minus ours, where a stamp was stale
        self.sets_wanted = True
        self.sets_answering = False
        self.start_over(place)

    def start_over(self, place: Place) -> None:
        """Continues from what the database has."""
        self.ledger = Ledger(place.store_id, place.seq, MOST_WAITING)
        self._lost_before = place.lost
        self._sets_store_id = place.store_id
        self._sets_seq = place.sets_seq
        self.begin_connection()

    def begin_connection(self) -> None:
        self.ledger.begin_connection()
        self.sets_wanted, self.sets_answering = True, False

    @property
    def place(self) -> Place:
        return Place(self.ledger.store_id, self.ledger.seq, self.sets_seq, self._lost_before + self.ledger.lost)

    @property
    def sets_seq(self) -> int:
        return self._sets_seq if self._sets_store_id == self.ledger.store_id else 0

    @property
    def reachable(self) -> bool:
        return self.other_version is None and (self.status is None or self.status.state == "online")

    def take_status(self, data: bytes) -> bool:
        """False for the last will of an old connection, or what cannot be read."""
        self.other_version = _other_version(data)
        try:
            status = msgspec.json.decode(data, type=StatusMessage)
        except UNREADABLE:
            self.unreadable += self.other_version is None
            return False
        if status.state == "offline" and self.status is not None and status.conn < self.status.conn:
            return False
        if self.status is not None and (status.state, status.conn) != (self.status.state, self.status.conn):
            self.lifter = None  # the daemon may have been started anew
        self.status = status
        self.ledger.take_status(status)
        return True

    def take_info(self, data: bytes) -> None:
        try:
            self.info = msgspec.json.decode(data, type=InfoMessage)
        except UNREADABLE:
            self.unreadable += _other_version(data) is None
            return
        if self.seen_unix_s < self._lifter_unix_s + SETTLING_S:
            return
        if self.info.session is not None:
            self._session_open = True
        elif self._session_open:
            self.lifter = None  # a machine forgets who lifted when a session ends by itself

    def take_state(self, data: bytes) -> None:
        """It is decoded when somebody asks for it, because it comes much more often."""
        self._state_data, self._state_unix_s = data, self.seen_unix_s

    def accepted(self, command: Command, now_unix_s: float) -> None:
        """The machine has carried out a command of ours."""
        match command:
            case LifterCommand():
                self.lifter, self._lifter_unix_s, self._session_open = command.lifter, now_unix_s, False
            case StopCommand():
                self.lifter = None
            case ForgetCommand() if command.lifter == self.lifter:
                self.lifter = None

    def take_sets_mark(self, mark: ResumeMark) -> None:
        """All sets up to `after` of the end mark have come."""
        self.sets_answering = mark.mark == "begin"
        if mark.mark == "end" and mark.store_id == self.ledger.store_id:
            self._sets_store_id, self._sets_seq = mark.store_id, max(self.sets_seq, mark.after)
            self.sets_wanted, self.refused = False, None

    def now(self) -> MachineNow:
        if self._state_data is not None:
            try:
                self._state = msgspec.json.decode(self._state_data, type=StateMessage)
            except UNREADABLE:
                self._state = None
            self._state_data = None
        return MachineNow(
            status=self.status,
            info=self.info,
            state=self._state,
            state_unix_s=None if self._state is None else self._state_unix_s,
            lifter=self.lifter,
            seen_unix_s=self.seen_unix_s,
            missing=self.ledger.missing,
            trouble=self.trouble,
        )

    @property
    def trouble(self) -> str | None:
        """One sentence, with the remedy."""
        if self.other_version is not None:
            return (
                f"{self.tree} speaks version {self.other_version!r:.20} of the contract, this program {VERSION}:"
                " upgrade the older one; the events wait in the machine's store"
            )
        if self.refused is not None:
            return f"{self.tree} does not say who lifted ({self.refused}): upgrade it, or log in as `collector`"
        if abs(self.clock_ahead_s) > MAX_AGE_S:
            return f"{self.tree}: its clock is {self.clock_ahead_s:+.0f} s from ours: correct the wrong one"
        if self.unreadable:
            return f"{self.tree}: {self.unreadable} messages could not be read: upgrade the older program"
        return None


class _Versioned(msgspec.Struct):
    v: object = VERSION


def _other_version(data: bytes) -> object:
    """The version of a message that this program does not know, or None."""
    try:
        version = msgspec.json.decode(data, type=_Versioned).v
    except UNREADABLE:
        return None
    return None if version == VERSION else version
