"""Runs the detector over cases and scores them, on all processors."""

import multiprocessing
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from firmware_bridge.samples import Samples
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Feedback
from monitor.profile.limits import Limits
from monitor.profile.profile import Profile
from monitor.record.table.sensors import encoder_step_m
from tests.quality.circumstances import MISREAD, Circumstances
from tests.quality.corpus import BATCH, GROUPS, Case, Group, Split, case, performed, seed_of
from tests.quality.judge import Judged, judge
from tests.quality.scorer import SetScore, score, score_learning
from tests.quality.sensors import blind_stretches, misread_noticeably
from tests.quality.signals import Signals
from tests.quality.thresholds import Thresholds


@dataclass
class Result:
    """A scored case, small enough to send between processes."""

    group: Group
    seed: int
    minutes: float
    strata: dict[str, str]
    score: SetScore


class Detected(NamedTuple):
    """Everything that the spine reports for some samples, and what it knows at the end."""

    events: list[AnyEvent]
    feedback: list[Feedback]
    limits: Limits


def detect(samples: Samples, profile: Profile) -> Detected:
    """Run the spine over all samples. Without a calibration, samples are those of a table, which shows its step."""
    step_m = None if profile.calibration else encoder_step_m(samples.position_m)
    spine = Spine(profile, session="quality", encoder_step_m=step_m)
    updates = [spine.update(samples), spine.finish()]
    return Detected(
        [event for update in updates for event in update.events],
        [moment for update in updates for moment in update.feedback],
        spine.limits,
    )


def evaluate(item: Case, signals: Signals, samples: Samples) -> Result:
    """Score one case from its signals."""
    judged = judge(signals, item.true_profile)
    events, feedback, limits = detect(samples, item.given_profile)
    known_s = load_known_s(item, judged)
    under = Circumstances(
        tempo_s=item.tempo_s,
        slow_cell=item.slow_cell,
        load_known_s=known_s,
        range_known_s=known_s if item.group == "unknown" else 0.0,
        misread=item.known == MISREAD,
        misread_required=misread_noticeably(item),
        blind=tuple(blind_stretches(item, signals, samples)),
    )
    result = score(judged, events, under)
    if item.known == "learned":
        score_learning(result, events, feedback, item.true_profile, known_s)
    if item.group == "unknown":
        bottom_m, top_m = item.machine.bottom_m - item.machine.rest_m, item.machine.top_m - item.machine.rest_m
        result.range_error_m = max(abs(limits.bottom_m - bottom_m), abs(limits.top_m - top_m))
    return Result(item.group, item.seed, float(signals.t_s[-1]) / 60, item.strata, result)


def load_known_s(item: Case, judged: Judged) -> float:
    """Until when the load may be unknown: the end of the second repetition, or the first target of a static set."""
    if item.group == "static":
        reached = judged.nominal.relative >= Thresholds.of(item.true_profile).static_level
        return float(judged.nominal.filtered.t_s[np.argmax(reached)]) if reached.any() else float("inf")
    if item.known != "learned":
        return 0.0
    reps = judged.nominal.of("rep")
    return reps[1].end_s if len(reps) > 1 else float("inf")


def seeds(split: Split, **wanted: int) -> list[tuple[Group, int]]:
    """The wanted number of cases for each group: `seeds(HELD_BACK, faulty=192, clean=64)`."""
    return [(group, seed_of(split, index)) for group in GROUPS for index in range(wanted.get(group, 0))]


def run(some: Sequence[tuple[Group, int]], processes: int = 1) -> list[Result]:
    """Evaluate cases in batches; in this process if `processes` is 1."""
    batches = [some[i : i + BATCH] for i in range(0, len(some), BATCH)]
    if processes == 1:
        return [result for batch in batches for result in _batch(batch)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [result for results in pool.imap(_batch, batches) for result in results]


def _batch(some: Iterable[tuple[Group, int]]) -> list[Result]:
    return [evaluate(*one) for one in performed([case(group, seed) for group, seed in some])]
