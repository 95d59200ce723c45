"""Labels a timed static contraction: sets, stages and events in the true force.

A set begins when the force has been above `lift_off_n` for 0.3 s and ends when it has been below for 5 s; the stages
follow one another from its start, whatever the lifter does. W is the stage's target, w' the force divided by it. After
the last stage there is no target, so there is no band to leave and no failure. The target is held from the moment when
its share (0.90) is first reached. A failure is reported once in a set.
"""

from itertools import pairwise

import numpy as np

from monitor.profile.profile import Profile
from tests.quality.movement import HOLD, Movement, Span
from tests.quality.signals import Bools, Filtered, Floats, held, joined, runs
from tests.quality.thresholds import Thresholds

RATE_HZ = 1000


def sets_of(f: Filtered, th: Thresholds) -> Movement:
    """The sets, from force alone; nothing moves."""
    begins = [a for a, _ in held(f.fast_tension_n > th.lift_off_n, th.start_hold_s, f.step_s)]
    ends = [a for a, _ in held(f.fast_tension_n < th.lift_off_n, th.end_rest_s, f.step_s)]
    spans: list[Span] = []
    for begin in begins:
        if not spans or (spans[-1].last is not None and begin >= spans[-1].last):
            spans.append(Span(begin, next((end for end in ends if end > begin), None)))
    n = len(f.t_s)
    in_set = np.zeros(n, np.int64)
    for number, span in enumerate(spans, 1):
        in_set[span.first : span.last] = number
    nowhere = np.zeros(n, bool)
    return Movement([], spans, nowhere, in_set > 0, in_set, np.full(n, HOLD, np.int8), nowhere, nowhere)


def stages_of(span: Span, profile: Profile, n: int) -> list[tuple[int, int]]:
    """The samples at which each stage of a set begins and ends; a set that has ended has no further stages."""
    edges = np.cumsum([0, *(round(stage_s * RATE_HZ) for stage_s in profile.protocol.stages_s)]) + span.first
    last = n if span.last is None else span.last
    return [(int(a), min(int(b), last)) for a, b in pairwise(edges) if a < last]


def in_stages(m: Movement, profile: Profile, n: int) -> Bools:
    """Samples at which there is a target."""
    mask = np.zeros(n, bool)
    for span in m.spans:
        mask[span.first : span.first + round(sum(profile.protocol.stages_s) * RATE_HZ)] = True
    return mask


def targets_of(m: Movement, profile: Profile, n: int) -> Floats:
    """The target at every sample; after the last stage it stays."""
    peak_n = profile.machine.peak_n or 1.0
    target_n = np.full(n, peak_n * profile.protocol.stages[0])
    for span in m.spans:
        for share, (a, b) in zip(profile.protocol.stages, stages_of(span, profile, n), strict=False):
            target_n[a : n if share == profile.protocol.stages[-1] else b] = peak_n * share
    return target_n


def out_of_band(f: Filtered, th: Thresholds, relative: Floats, off: Bools) -> list[tuple[str, int, int]]:
    """Side, first and last sample of every stretch out of the band."""
    found = []
    for side, mask in (("low", relative < 1 - th.band), ("high", relative > 1 + th.band)):
        stretches = joined(held(off & mask, th.band_hold_s, f.step_s), th.band_join_s, f.step_s)
        found += [(side, a, b) for a, b in stretches]
    return found


def above_ceiling(f: Filtered, th: Thresholds, target_n: Floats, limit_n: float | None) -> list[tuple[int, int]]:
    """Stretches above the ceiling: a factor of the target, or the trainer's own limit."""
    excess = (th.ceiling_factor - 1) * target_n
    ceiling_n = target_n + (excess if limit_n is None else np.minimum(excess, (limit_n - target_n) * th.factor))
    return held(f.fast_tension_n > ceiling_n, th.ceiling_hold_s, f.step_s)


def failures(f: Filtered, th: Thresholds, aimed: Bools, relative: Floats) -> list[int]:
    """The sample at which each failed set had failed."""
    found = []
    for begin, end in runs(aimed):
        inside = np.zeros(len(aimed), bool)
        inside[begin:end] = True
        reached = np.flatnonzero(inside & (relative >= th.static_level))
        if not len(reached):
            continue
        first = int(reached[0]) + round(th.static_after_s / f.step_s)
        for a, b in runs(inside & (relative < th.static_level)):
            if a >= first and (b - a) * f.step_s >= th.static_hold_s:
                found.append(a + round(th.static_hold_s / f.step_s))
                break
    return found
