"""Finds the machine that a topic belongs to; a new one becomes known, up to a bound."""

import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

from monitor.gym.collector.machine import CollectedMachine, Place
from monitor.mqtt.contract.topics import TopicTree, tree_of

MACHINE_ID = re.compile(r"[a-z0-9-]{1,32}")
MOST_MACHINES = 5_000
MOST_TOPICS = 16_384  # that are not taken apart again


class KnownMachines:
    """The machines of the sites, by topic tree."""

    def __init__(self, sites: Sequence[str]) -> None:
        self.sites = sorted(sites, key=len, reverse=True)  # `berlin/rep` before `berlin`
        self.by_tree: dict[TopicTree, CollectedMachine] = {}
        self.too_many = 0  # messages of machines beyond the bound
        self._tree_of = lru_cache(MOST_TOPICS)(self._find_tree)

    def __iter__(self) -> Iterator[CollectedMachine]:
        return iter(self.by_tree.values())

    def get(self, tree: TopicTree) -> CollectedMachine | None:
        return self.by_tree.get(tree)

    def of_topic(self, topic: str) -> CollectedMachine | None:
        """None for a topic that is not a machine's, or one machine too many."""
        tree = self._tree_of(topic)
        if tree is None or (machine := self.by_tree.get(tree)) is not None:
            return None if tree is None else machine
        if not MACHINE_ID.fullmatch(tree.machine):
            return None
        if len(self.by_tree) >= MOST_MACHINES:
            self.too_many += 1
            return None
        return self.of_tree(tree)

    def of_tree(self, tree: TopicTree) -> CollectedMachine:
        """Also one that the database knows, beyond the bound."""
        return self.by_tree.setdefault(tree, CollectedMachine(tree, Place(), time.time()))

    def _find_tree(self, topic: str) -> TopicTree | None:
        return next(filter(None, (tree_of(topic, site) for site in self.sites)), None)
