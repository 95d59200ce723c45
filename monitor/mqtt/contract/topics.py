"""Makes and reads topics: `<root>/<machine>/<levels>`.

The root is `rep`, or a site's own, such as `berlin/rep`, where one broker or one collector serves several sites.
"""

import re
from typing import Annotated, NamedTuple

from msgspec import Meta

ROOT = "rep"
ROOT_PATTERN = r"\A(?!(.*/)?(cmd|sets)(/|\Z))[a-z0-9-]{1,32}(/[a-z0-9-]{1,32}){0,3}\Z"
ROOT_WORDS = '1 to 4 levels of a-z, 0-9 and -, such as "rep" or "berlin/rep", none of them "cmd" or "sets"'
Root = Annotated[str, Meta(pattern=ROOT_PATTERN, description=ROOT_WORDS)]


class TopicTree(NamedTuple):
    """The topics of one machine. With the machine "+", the filters of every machine below the root.

    >>> TopicTree("leg-press", "berlin/rep").topic("event", "rep")
    'berlin/rep/leg-press/event/rep'
    """

    machine: str
    root: str = ROOT

    def topic(self, *levels: str) -> str:
        return "/".join((self.root, self.machine, *levels))

    def levels(self, topic: str) -> list[str]:
        """The levels of a topic below the machine; none for a topic that is not in this tree.

        >>> TopicTree("leg-press").levels("rep/leg-press/event/rep")
        ['event', 'rep']
        """
        beginning = f"{self}/"
        return topic.removeprefix(beginning).split("/") if topic.startswith(beginning) else []

    @property
    def name(self) -> str:
        """Distinguishes the machine at its broker: its id, with the root where that is not `rep`. Without a slash.

        >>> TopicTree("leg-press").name, TopicTree("leg-press", "berlin/rep").name
        ('leg-press', 'berlin_rep_leg-press')
        """
        return self.machine if self.root == ROOT else str(self).replace("/", "_")

    def __str__(self) -> str:
        return self.topic()


def is_root(text: str) -> bool:
    return re.match(ROOT_PATTERN, text) is not None


def tree_of(topic: str, root: str = ROOT) -> TopicTree | None:
    """The tree that contains the topic; None for a topic that is not below the root.

    >>> tree_of("berlin/rep/leg-press/status", "berlin/rep")
    TopicTree(machine='leg-press', root='berlin/rep')
    """
    machine, *levels = topic.removeprefix(f"{root}/").split("/")
    return TopicTree(machine, root) if levels and topic.startswith(f"{root}/") else None
