"""The roles of clients, and the commands that each role may send.

    local      a page on loopback, at the machine
    display    a page in the network that shows the machine; it may only ask for past events
    coach      a page in the network that may send commands, with a token of its own
    collector  the gym's own program, never a page: it alone learns who lifted

The access list of an external broker has the same rules (`rep-monitor access broker` writes it). So the daemon needs no
check of its own: a client that may publish to `cmd/stop` there is a coach.
"""

from enum import StrEnum
from typing import NamedTuple, Self

from monitor.mqtt.contract.commands import COMMANDS
from monitor.mqtt.contract.topics import TopicTree

OWN_CLIENTS = "rep-monitor"  # the prefix of the daemon's client ids, fixed so that a new connection ends the old one
ANYBODY = ("resume",)  # reads past events and changes nothing
COLLECTORS = ("sets", "forget")  # their answers name lifters
COLLECTORS_TOPICS = tuple(f"/cmd/{name}" for name in COLLECTORS)


class Role(StrEnum):
    LOCAL = "local"
    DISPLAY = "display"
    COACH = "coach"
    COLLECTOR = "collector"


def may_send(role: Role) -> tuple[str, ...]:
    """The names of the commands that the role may send."""
    match role:
        case Role.DISPLAY:
            return ANYBODY
        case Role.COLLECTOR:
            return tuple(COMMANDS)
        case _:
            return tuple(name for name in COMMANDS if name not in COLLECTORS)


class Page(NamedTuple):
    """A page's rights: its role at the one machine that it shows."""

    role: Role
    tree: TopicTree

    def may_publish(self, topic: str) -> bool:
        """Only commands, and only to its own machine."""
        match self.tree.levels(topic):
            case ["cmd", name]:
                return name in may_send(self.role)
        return False

    def __str__(self) -> str:
        return f"page:{self.role}:{self.tree}"

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """Reads the text of a page's rights; None for any other text."""
        page, _, rest = (text or "").partition(":")
        role, _, tree = rest.partition(":")
        root, _, machine = tree.rpartition("/")
        return cls(Role(role), TopicTree(machine, root)) if page == "page" else None


def is_command(topic: str) -> bool:
    """True for command topics, below any root."""
    return "/cmd/" in topic


def names_lifters(topic: str) -> bool:
    """True for topics that no page may read: commands, and the answers to `sets`."""
    return is_command(topic) or _is_answer(topic)


def is_for_collectors(topic: str) -> bool:
    """True for topics that only a daemon and a collector use."""
    return _is_answer(topic) or topic.endswith(COLLECTORS_TOPICS)


def _is_answer(topic: str) -> bool:
    return "/sets/" in topic
