"""Labels what tension and contact show: sets, tension against the load, rests at either end."""

import numpy as np

from tests.quality.labels import Label, Truth, event_at
from tests.quality.movement import LANDING_S, SETTLING_M, Span
from tests.quality.signals import Bools, held, joined
from tests.quality.thresholds import Thresholds


def find_sets(truth: Truth, th: Thresholds) -> list[Label]:
    found = []
    for number, span in enumerate(truth.movement.spans, 1):
        found.append(event_at(truth, "set_start", span.first, None, th.start_hold_s))
        before = truth.movement.spans[number - 2].last if number > 1 else None
        if th.whole:
            found[-1].own |= {
                "from_s": _from_s(truth, th, span.first, before or 0),
                "to_s": _to_s(truth, th, span.first),
            }
        if span.last is not None:
            found.append(event_at(truth, "set_end", span.last, None, th.end_rest_s))
            found[-1].set = number
    return found


def _from_s(truth: Truth, th: Thresholds, at: int, over: int) -> float:
    """When the tension passed `lift_off_n` off the rest, which a detector uses while it does not know the load.

    Not before the last set had ended: on a stop the cable stays loaded.
    """
    f = truth.filtered
    light = f.fast_tension_n < th.lift_off_n * th.factor
    loose = np.flatnonzero((f.x_m <= th.off_rest_m)[: at + 1] | light[: at + 1])
    first = int(loose[-1]) + 1 if len(loose) else 0
    return float(f.t_s[min(max(first, over), at)])


def _to_s(truth: Truth, th: Thresholds, at: int) -> float:
    """Where the stack leaves a stop: when it has moved so far that the coarsest encoder shows it."""
    f = truth.filtered
    stood = f.x_m[max(0, at - round(th.end_loose_s / f.step_s)) : at + 1]
    gone = np.abs(f.x_m[at:] - f.x_m[at]) >= SETTLING_M
    return float(f.t_s[at + int(gone.argmax()) if np.ptp(stood) < SETTLING_M else at])


def find_tensions(truth: Truth, th: Thresholds) -> list[Label]:
    f, off_rest, relative = truth.filtered, truth.movement.off_rest, truth.relative
    found = []
    for a, b in held(f.fast_tension_n > th.ceiling_n, th.ceiling_hold_s, f.step_s):
        found.append(
            event_at(
                truth, "force_ceiling", a, b, th.ceiling_hold_s, peak_tension_n=float(np.max(f.fast_tension_n[a:b]))
            )
        )
    if not th.load_known:
        return found
    for a, b in held(off_rest & (relative < 1 - th.unload), th.unload_hold_s, f.step_s):
        found.append(event_at(truth, "unload", a, b, th.unload_hold_s, low=float(np.min(relative[a:b]))))
    slack = off_rest & (f.fast_tension_n < th.slack_n) & (th.kind == "stack")  # a cable that hangs loose
    for a, b in held(slack, th.slack_hold_s, f.step_s):
        found.append(event_at(truth, "slack", a, b, th.slack_hold_s))
    for side, mask in (("low", relative < 1 - th.band), ("high", relative > 1 + th.band)):
        for a, b in joined(held(off_rest & mask, th.band_hold_s, f.step_s), th.band_join_s, f.step_s):
            furthest = float((np.min if side == "low" else np.max)(relative[a:b]))
            found.append(event_at(truth, "tension_out", a, b, th.band_hold_s, side=side, extreme=furthest))
    return found


def find_rests(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    at_lockout = (f.x_m >= th.lockout_zone_x_m) & (np.abs(f.v_m_s) < th.lockout_m_s)
    if th.kind != "stack":
        at_lockout &= _used(truth, th)
    else:
        at_lockout &= truth.movement.off_rest
    ends = {span.last for span in m.spans}
    for a, b in held(at_lockout, th.lockout_s, f.step_s):
        ended_set = any(end is not None and a <= end < b for end in ends)
        found.append(event_at(truth, "lockout_rest", a, b, th.lockout_s, ended_set=ended_set))
    for span in m.spans:
        found += _contacts(truth, th, span)
    return found


def _used(truth: Truth, th: Thresholds) -> Bools:
    """Samples in a set, and until the end of the set is known."""
    used = truth.movement.in_set > 0
    for span in truth.movement.spans:
        if span.last is not None:
            used[span.last : span.last + round(th.end_rest_s / truth.filtered.step_s)] = True
    return used


def _contacts(truth: Truth, th: Thresholds, span: Span) -> list[Label]:
    f = truth.filtered
    found = []
    for a, b in held(truth.movement.contact, th.touch_hold_s, f.step_s):
        ends_set = a == span.last
        over = a + round(th.end_rest_s / f.step_s) if ends_set else b  # from then on nobody is in the set
        lost = (f.fast_tension_n < th.touch_tension_n)[a : min(over, b)]
        touches = held(lost, th.touch_hold_s, f.step_s)
        if not (span.first < a and (span.last is None or a <= span.last)):
            continue
        before = f.raw_v_m_s[max(a - round(LANDING_S / f.step_s), 0) : a + 1]
        speed_m_s = max(float(-np.min(before)), 0.0)
        touch = event_at(truth, "stack_touch", a, b, th.touch_hold_s, slam=speed_m_s > th.slam_m_s, speed_m_s=speed_m_s)
        if touches:  # the tension may fall later than the contact, and then the definition is met later
            touch.true_s = float(f.t_s[a + touches[0][0]]) + th.touch_hold_s
        rest = event_at(truth, "bottom_rest", a, b, th.bottom_rest_s)
        for event in (touch, rest):
            event.own["ended_set"] = ends_set
            event.set = truth.movement.spans.index(span) + 1
            event.rep = event.rep or max(len(span.reps), 1)
        found += [touch] if touches else []
        if (b - a) * f.step_s >= th.bottom_rest_s:
            found.append(rest)
    return found
