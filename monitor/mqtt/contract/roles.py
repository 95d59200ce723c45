"""The roles of pages, and the commands that each role may send.

    local      a page on loopback, at the machine
    display    a page in the network that shows the machine; it may only ask for past events
    coach      a page in the network that may send commands, with a token of its own

The access list of an external broker has the same rules (`rep-monitor access broker` writes it). So the daemon needs no
check of its own: a client that may publish to `cmd/stop` there is a coach.
"""

import re
from enum import StrEnum

from monitor.mqtt.contract.commands import COMMANDS

OWN_CLIENTS = "rep-monitor"  # the prefix of the daemon's client ids, fixed so that a new connection ends the old one
ANYBODY = ("resume",)  # reads past events and changes nothing
COMMAND_TOPIC = re.compile(r"rep/[a-z0-9-]{1,32}/cmd/([a-z]+)")


class Role(StrEnum):
    LOCAL = "local"
    DISPLAY = "display"
    COACH = "coach"


def may_send(role: Role) -> tuple[str, ...]:
    """The names of the commands that the role may send."""
    return ANYBODY if role is Role.DISPLAY else tuple(COMMANDS)


def may_publish(role: Role, topic: str) -> bool:
    """True if a page with this role may publish on the topic: only commands are allowed."""
    command = COMMAND_TOPIC.fullmatch(topic)
    return command is not None and command[1] in may_send(role)


def is_command(topic: str) -> bool:
    """True for command topics. They are not forwarded to pages, because they can contain lifters' ids."""
    return topic.startswith("rep/") and "/cmd/" in topic
