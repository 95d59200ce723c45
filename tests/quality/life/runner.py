"""Runs the detector over sessions and scores them, on all processors."""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from firmware_bridge.samples import Samples
from tests.quality.corpus import Group, Split, seed_of
from tests.quality.judge import Judged, judge
from tests.quality.life.corpus import CLEAN, LIFE_KINDS, LifeCase, clean_cases, life_case, performed
from tests.quality.life.scorer import LifeScore, score_session
from tests.quality.reported import reported
from tests.quality.runner import Result, detect


class Wanted(NamedTuple):
    """One session; `clean` ones are measured with every kit."""

    kind: str
    seed: int

    @property
    def cases(self) -> list[LifeCase]:
        return clean_cases(self.seed) if self.kind == CLEAN else [life_case(self.kind, self.seed)]


@dataclass
class LifeResult:
    """A scored session, small enough to travel between processes."""

    kind: str
    name: str
    seed: int
    minutes: float
    sensors: str
    leads: bool  # the force, as its cell is known to be fast
    tempo: str
    score: LifeScore

    @property
    def as_set(self) -> Result:
        """The same result for the tables of all corpora."""
        group: Group = "clean" if self.score.clean else "faulty"
        strata = {"tempo": self.tempo, "sensors": self.sensors}
        return Result(group, self.seed, self.minutes, strata, self.score.events)


def wanted(split: Split, each: int, clean: int, kinds: Sequence[str] = LIFE_KINDS) -> list[Wanted]:
    """`each` sessions of each kind, and `clean` clean ones."""
    others = [Wanted(kind, seed_of(split, i)) for kind in kinds if kind != CLEAN for i in range(each)]
    return others + [Wanted(CLEAN, seed_of(split, i)) for i in range(clean if CLEAN in kinds else 0)]


def run(some: Sequence[Wanted], processes: int = 1) -> list[LifeResult]:
    """Evaluate sessions; in this process if `processes` is 1."""
    if processes == 1:
        return [result for one in some for result in evaluate(one)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [result for results in pool.imap(evaluate, some) for result in results]


def evaluate(one: Wanted) -> list[LifeResult]:
    """Score a session from its signals, once for each kit."""
    results = []
    judged: Judged | None = None
    for item in one.cases:
        signals, samples = performed(item)
        judged = judged or judge(signals, item.true_profile, whole=True, pause_s=item.session.pause_s)
        results.append(_result(item, judged, samples, float(signals.t_s[-1]) / 60))
    return results


def _result(item: LifeCase, judged: Judged, samples: Samples, minutes: float) -> LifeResult:
    events, feedback, _ = detect(samples, item.given_profile)
    detected, moved = reported(events)
    score = score_session(item, judged, detected, feedback, moved)
    return LifeResult(item.kind, item.name, item.seed, minutes, item.sensors, item.leads, item.tempo, score)
