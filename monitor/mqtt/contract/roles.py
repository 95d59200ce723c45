"""Who may ask the monitor for what.

    local      sits at the machine: a page from loopback
    display    shows what happens, from the network: asks for the past, nothing else
    coach      may command from the network, with a token of their own

At a broker of one's own, its access list says the same (`rep-monitor access broker` writes it): who may write
`cmd/stop` there is a coach. So the topic that a command comes on is the proof of who sends it; the daemon need not, and
could not, look into the connection behind it.
"""

import re
from enum import StrEnum

from monitor.mqtt.contract.commands import COMMANDS

OWN_CLIENTS = "rep-monitor"  # so the daemon's client ids begin; fixed: a new connection ends the old one, and its ghost
ANYBODY = ("resume",)  # reads the past, changes nothing
COMMAND_TOPIC = re.compile(r"rep/[a-z0-9-]{1,32}/cmd/([a-z]+)")


class Role(StrEnum):
    LOCAL = "local"
    DISPLAY = "display"
    COACH = "coach"


def may_send(role: Role) -> tuple[str, ...]:
    """The commands, by name."""
    return ANYBODY if role is Role.DISPLAY else tuple(COMMANDS)


def may_publish(role: Role, topic: str) -> bool:
    """A page's messages are commands, and nothing else."""
    command = COMMAND_TOPIC.fullmatch(topic)
    return command is not None and command[1] in may_send(role)


def is_command(topic: str) -> bool:
    """Who trains with whom is no page's business."""
    return topic.startswith("rep/") and "/cmd/" in topic
