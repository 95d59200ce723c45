"""Labels what the movement alone shows: repetitions, turnarounds, heaves, let-go negatives, stalls, speed."""

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from tests.quality.labels import Label, Truth, event_at
from tests.quality.movement import POSITIVE, Turn
from tests.quality.rep_details import details
from tests.quality.signals import Bools, Filtered, held, joined
from tests.quality.thresholds import Thresholds


def find_reps(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    for number, span in enumerate(m.spans, 1):
        for n, rep in enumerate(span.reps, 1):
            before, middle, _ = (m.turns[i] for i in rep.turns)
            there_s = (middle.dwell[0] - rep.first) * f.step_s
            back_s = (rep.last - middle.dwell[1]) * f.step_s
            dwell_s = (middle.dwell[1] - middle.dwell[0]) * f.step_s
            other_s = (before.dwell[1] - before.dwell[0]) * f.step_s
            up = before.at == "lower"
            body = slice(rep.first, max(rep.last, rep.first + 1))
            tension_n = f.tension_n[body]
            event = event_at(
                truth,
                "rep",
                rep.first,
                rep.last,
                partial=rep.partial,
                positive_s=there_s if up else back_s,
                negative_s=back_s if up else there_s,
                upper_dwell_s=dwell_s if up else other_s,
                lower_dwell_s=other_s if up else dwell_s,
                rom_m=rep.excursion_m,
                peak_velocity_m_s=float(np.max(np.abs(f.v_m_s[body]))),
                peak_g=float(np.max(np.abs(f.a_m_s2[body]))) / STANDARD_GRAVITY_M_S2,
                tension_min_n=float(np.min(tension_n)),
                tension_mean_n=float(np.mean(tension_n)),
                tension_max_n=float(np.max(tension_n)),
                in_band_s=float(np.sum(np.abs(truth.relative[body] - 1) <= th.band)) * f.step_s,
                sticking=any(
                    a < (middle.dwell[0] if up else rep.last) and b > (rep.first if up else middle.dwell[1])
                    for a, b in _sticking(truth, th)
                ),
                up_first=up,
                bounds_s=[float(f.t_s[min(i, len(f.t_s) - 1)]) for i in (rep.first, *middle.dwell, rep.last)],
            )
            event.own |= details(truth, th, rep, before, middle) if th.whole and up else {}
            event.set, event.rep = number, n
            found.append(event)
    return found


def find_turnarounds(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    for turn in m.turns:
        middle = (turn.dwell[0] + turn.dwell[1]) // 2
        if not turn.reversal or not m.in_set[min(middle, turn.dwell[0] + 1)]:
            continue
        grade, peak_m_s2, seen = _grade(f, th, turn)
        away = np.abs(f.x_m[turn.dwell[1] :] - f.x_m[turn.index]) >= th.reversal_m
        seen = max(seen, turn.dwell[1] + int(np.argmax(away)))
        event = event_at(
            truth,
            "turnaround",
            middle,
            None,
            at=turn.at,
            grade=grade,
            dwell_s=(turn.dwell[1] - turn.dwell[0]) * f.step_s,
            peak_g=peak_m_s2 / STANDARD_GRAVITY_M_S2,
            contact=turn.contact,
        )
        middles_s = [float(f.t_s[(first + last) // 2]) for first, last in turn.alike]
        event.own |= {"from_s": min(middles_s), "to_s": max(middles_s)}
        event.true_s = float(f.t_s[min(seen, len(f.t_s) - 1)])
        found.append(event)
    return found


def _grade(f: Filtered, th: Thresholds, turn: Turn) -> tuple[str | None, float, int]:
    """The grade, the highest |a| around, and the sample from which on an abrupt one is known."""
    a_abs = np.abs(f.a_m_s2)

    def around(window_s: float) -> slice:
        reach = round(window_s / f.step_s)
        return slice(max(turn.dwell[0] - reach, 0), turn.dwell[1] + reach)

    peak_m_s2 = float(np.max(a_abs[around(th.smooth_window_s)]))
    near = around(th.abrupt_window_s)
    hold = round(th.abrupt_hold_s / f.step_s)
    known = [
        max(a + hold, near.start)
        for a, b in held(a_abs > th.abrupt_m_s2, th.abrupt_hold_s, f.step_s)
        if a < near.stop and b > near.start
    ]
    if turn.rests_s >= th.set_down_s:
        return None, peak_m_s2, 0
    dwell_s = (turn.dwell[1] - turn.dwell[0]) * f.step_s
    if known and turn.at == "lower" and dwell_s < th.set_down_s:
        after = slice(turn.dwell[1], turn.dwell[1] + round(th.rebound_s / f.step_s))
        rebound_m_s = float(np.max(f.v_m_s[after], initial=0.0))
        if turn.contact or f.x_m[turn.index] < th.bottom_x_m + th.bounce_m or rebound_m_s > th.rebound_m_s:
            return "bounce", peak_m_s2, known[0]
    if turn.contact:
        return None, peak_m_s2, 0
    if known:
        return "abrupt", peak_m_s2, known[0]
    smooth = peak_m_s2 <= th.smooth_m_s2 and dwell_s <= th.smooth_dwell_s
    return ("smooth" if smooth else "fair"), peak_m_s2, 0


def find_jerks(truth: Truth, th: Thresholds) -> list[Label]:
    f, off_rest = truth.filtered, truth.movement.off_rest
    g = STANDARD_GRAVITY_M_S2
    hold_s, join_s = th.jerk_hold_s, th.jerk_join_s
    up = joined(held((f.v_m_s > 0) & off_rest & (f.a_m_s2 > th.jerk_m_s2), hold_s, f.step_s), join_s, f.step_s)
    down = joined(held((f.v_m_s < 0) & off_rest & (f.a_m_s2 < -th.jerk_m_s2), hold_s, f.step_s), join_s, f.step_s)
    found = []
    stuck = _sticking(truth, th) + [(a, b) for a, b, _ in _stall_runs(truth, th)]
    before_s = float("inf") if th.whole else 0.1  # the speed passes the sticking limit after the jerk has begun
    for a, b in up:
        if f.x_m[a] < th.bottom_x_m + th.start_zone_m:
            cause = "start"
        elif any(begin < a and -before_s <= (a - end) * f.step_s <= th.shove_s for begin, end in stuck):
            cause = "shove"
        else:
            cause = "mid"
        found.append(
            event_at(truth, "jerk", a, b, th.jerk_hold_s, cause=cause, peak_g=float(np.max(f.a_m_s2[a:b])) / g)
        )
    for a, b in down:
        found.append(event_at(truth, "drop", a, b, th.jerk_hold_s, peak_g=float(np.max(-f.a_m_s2[a:b])) / g))
    return found


def find_speeds(truth: Truth, th: Thresholds) -> list[Label]:
    f = truth.filtered
    fast: tuple[Bools, Bools] = (f.v_m_s > th.speed_positive_m_s, f.v_m_s < -th.speed_negative_m_s)
    return [
        event_at(truth, "speed_over", a, b, th.speed_hold_s, peak_velocity_m_s=float(np.max(np.abs(f.v_m_s[a:b]))))
        for mask in fast
        for a, b in held(mask, th.speed_hold_s, f.step_s)
    ]


def _positives(truth: Truth, th: Thresholds) -> list[tuple[int, int]]:
    """Stretches from each lower dwell until the movement has turned by h_rev."""
    f, turns = truth.filtered, truth.movement.turns
    found = []
    for i, turn in enumerate(turns):
        if turn.at == "lower":
            end = len(f.t_s)
            if i + 1 < len(turns):
                top = turns[i + 1].index
                fallen = f.x_m[top:] <= f.x_m[top] - th.reversal_m
                end = top + int(np.argmax(fallen)) if fallen.any() else end
            found.append((turn.dwell[1], end))
    return found


def _stall_runs(truth: Truth, th: Thresholds) -> list[tuple[int, int, int]]:
    """(first, behind the last, which positive) of every stall."""
    f = truth.filtered
    speed = np.abs(f.v_m_s)
    low_m, high_m = th.stall_zone_x_m
    still = (speed < th.stall_m_s) & (f.x_m >= low_m) & (f.x_m <= high_m) & truth.movement.off_rest
    found = []
    for number, (begin, end) in enumerate(_positives(truth, th)):
        i = begin
        while i < end:
            ahead = np.flatnonzero(still[i:end])
            if not len(ahead):
                break
            first = i + int(ahead[0])
            over = (speed[first:end] > th.stall_move_m_s) | (
                np.abs(f.x_m[first:end] - f.x_m[first]) > th.stall_travel_m
            )
            over |= truth.movement.held[first:end]
            last = first + int(np.argmax(over)) if over.any() else end
            if (last - first) * f.step_s >= th.stall_s:
                found.append((first, last, number))
            i = max(last, first + 1)
    return found


def _sticking(truth: Truth, th: Thresholds) -> list[tuple[int, int]]:
    f = truth.filtered
    low_m, high_m = th.stall_zone_x_m
    slow = (f.v_m_s < th.sticking_m_s) & (f.x_m >= low_m) & (f.x_m <= high_m)
    if th.whole:
        slow &= (f.v_m_s > -th.sticking_m_s) & (truth.movement.phase == POSITIVE) & ~truth.movement.eased
    else:
        slow &= f.v_m_s > 0
    shortest_s, longest_s = th.sticking_s
    return [(a, b) for a, b in held(slow, shortest_s, f.step_s) if (b - a) * f.step_s < longest_s]


def find_stalls(truth: Truth, th: Thresholds) -> list[Label]:
    f = truth.filtered
    found: list[Label] = []
    failed: dict[tuple[int, int], tuple[int, int]] = {}  # the first failure of each positive, and its stall; of the
    # whole contract, of each stretch of constant load in a set
    for first, last, positive in _stall_runs(truth, th):
        found.append(event_at(truth, "stall", first, last, th.stall_s))
        met = _failure_sample(truth, th, first, last)
        once = (int(truth.movement.in_set[first]), truth.stretch_at(first)) if th.whole else (positive, 0)
        if met is not None and _full_reps_before(truth, first):
            failed[once] = min((met, first), failed.get(once, (met, first)))
    for met, first in failed.values():
        pushing = (f.tension_n >= th.pushing_n)[met:]
        held_s = float(np.argmin(pushing) if not pushing.all() else len(pushing)) * f.step_s
        found.append(event_at(truth, "failure", met, None, stall_s=float(f.t_s[first]), held_s=held_s))
    return found


def _failure_sample(truth: Truth, th: Thresholds, first: int, last: int) -> int | None:
    """The sample at which a stall has become a failure."""
    f = truth.filtered
    stall_s = (last - first) * f.step_s
    met = []
    if stall_s >= th.failure_total_s:  # how strict the limit is changes whether it was met, not when
        met.append(min(first + round(th.failure_total_s / th.factor / f.step_s), len(f.t_s) - 1))
    if stall_s >= th.failure_stall_s:
        x = f.x_m[first:]
        peak = np.maximum.accumulate(x)
        descended = (x[0] if th.whole else peak) - x >= th.failure_descent_m
        topped = peak >= th.top_x_m - th.partial_top_m
        i = int(np.argmax(descended)) if descended.any() else len(x)
        j = int(np.argmax(topped)) if topped.any() else len(x)
        if i < min(j, len(x)):
            met.append(first + i)
    return min(met, default=None)


def _full_reps_before(truth: Truth, at: int) -> bool:
    number = int(truth.movement.in_set[at])
    return number > 0 and any(rep.last <= at and not rep.partial for rep in truth.movement.spans[number - 1].reps)
