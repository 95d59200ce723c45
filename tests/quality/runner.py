"""Runs the detector over cases and scores them, on all processors."""

import multiprocessing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from firmware_bridge.samples import Samples
from monitor.config import Profile
from monitor.detect.pipeline import Pipeline
from monitor.events import AnyEvent, Feedback
from tests.quality.corpus import BATCH, GROUPS, Case, Group, Split, case, performed, seed_of
from tests.quality.judge import Judged, judge
from tests.quality.scorer import MISREAD, Circumstances, SetScore, score, score_learning
from tests.quality.sensors import blind_stretches, misread_noticeably
from tests.quality.signals import Signals


@dataclass
class Result:
    """A scored case, small enough to travel between processes."""

    group: Group
    seed: int
    minutes: float
    strata: dict[str, str]
    score: SetScore


def detect(samples: Samples, profile: Profile) -> tuple[list[AnyEvent], list[Feedback]]:
    """All that the spine tells of these samples."""
    pipeline = Pipeline(profile, session="quality")
    updates = [pipeline.update(samples), pipeline.finish()]
    return [e for update in updates for e in update.events], [f for update in updates for f in update.feedback]


def evaluate(item: Case, signals: Signals, samples: Samples) -> Result:
    """One case from its signals to its score."""
    judged = judge(signals, item.true_profile)
    events, feedback = detect(samples, item.told_profile)
    known_s = load_known_s(item, judged)
    under = Circumstances(
        tempo_s=max(item.script.positive_s, item.script.negative_s),
        slow_cell=item.slow_cell,
        load_known_s=known_s,
        misread=item.known == MISREAD,
        misread_required=misread_noticeably(item),
        blind=tuple(blind_stretches(item, signals, samples)),
    )
    result = score(judged, events, under)
    if item.known == "learned":
        score_learning(result, events, feedback, item.true_profile, known_s)
    return Result(item.group, item.seed, float(signals.t_s[-1]) / 60, item.strata, result)


def load_known_s(item: Case, judged: Judged) -> float:
    """Until when the load may be unknown: the end of the second repetition."""
    if item.known != "learned":
        return 0.0
    reps = judged.nominal.of("rep")
    return reps[1].end_s if len(reps) > 1 else float("inf")


def seeds(split: Split, **wanted: int) -> list[tuple[Group, int]]:
    """So many cases of each group: `seeds(HELD_BACK, faulty=192, clean=64)`."""
    return [(group, seed_of(split, index)) for group in GROUPS for index in range(wanted.get(group, 0))]


def run(some: Sequence[tuple[Group, int]], processes: int = 1) -> list[Result]:
    """Evaluate cases in batches; in this process where one is enough."""
    batches = [some[i : i + BATCH] for i in range(0, len(some), BATCH)]
    if processes == 1:
        return [result for batch in batches for result in _batch(batch)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [result for results in pool.imap(_batch, batches) for result in results]


def _batch(some: Iterable[tuple[Group, int]]) -> list[Result]:
    return [evaluate(*one) for one in performed([case(group, seed) for group, seed in some])]
