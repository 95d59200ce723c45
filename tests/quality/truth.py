"""What EVENTS.md says happened: every event of one set, labelled on noise-free signals.

    truth = label(signals, profile)          profile: range, working load and friction as they really are

From the signals, never from the intent of whoever made them. How EVENTS.md is read where it leaves room:

- *on the rest* (contact) is x < 3 mm with T < 0.5 W; *off the rest* is x > 3 mm; in between nothing is judged but T.
- `x` is not filtered, `v` and `a` are. The speed of a landing is the highest unfiltered one in 60 ms before it.
- a hold comes before a join: runs that are long enough are joined, short ones are no event. `low` and `high` of
  `tension_out`, positive and negative of `speed_over` are joined apart.
- stillness of a stall begins with |v| < v_rest and is broken only by what ends a stall; stillness of a lockout rest is
  unbroken |v| < v_rest within the zone.
- the positive in which a stall can be lasts from the lower dwell to the end of the dwell where it turned.
- a failure is told once in a positive.
- a reversal on the rest (contact in its dwell) is graded `bounce` or not at all, and only within a set.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monitor.config import Profile
from monitor.detect.settings import STANDARD_GRAVITY_M_S2
from tests.quality.movement import LANDING_S, PHASES, Movement, Span, Turn, movement
from tests.quality.signals import Bools, Filtered, Floats, Signals, filtered, held, joined
from tests.quality.thresholds import Thresholds

FRICTION_SPEED_M_S = 0.004
ONE_ACT_S = 0.3
ORDER = (
    "sensor_fault",
    "force_ceiling",
    "slack",
    "bounce",
    "drop",
    "jerk",
    "abrupt",
    "stack_touch",
    "lockout_rest",
    "tension_out",
    "speed_over",
)


@dataclass
class Label:
    """One event; `own` holds the keys of its kind."""

    kind: str
    t_s: float
    duration_s: float | None  # None: the signals end first
    set: int | None
    rep: int | None
    phase: str
    position_m: float
    own: dict[str, Any] = field(default_factory=dict)
    part_of: int | None = None  # index of the primary
    true_s: float = 0.0  # from when on it can be known: the hold has passed, the movement is reversed by h_rev

    @property
    def end_s(self) -> float:
        return self.t_s + (self.duration_s or 0.0)

    @property
    def rank(self) -> int | None:
        """Its place in the order of primaries; None where it has none."""
        name = self.own.get("grade") if self.kind == "turnaround" else self.kind
        return ORDER.index(name) if name in ORDER else None


@dataclass
class Truth:
    """Everything labelled, in the order of time."""

    events: list[Label]
    movement: Movement
    filtered: Filtered
    relative: Floats  # w'

    def of(self, kind: str) -> list[Label]:
        return [event for event in self.events if event.kind == kind]

    def reps(self) -> list[int]:
        """Repetitions counted, a number for each set."""
        return [len(span.reps) for span in self.movement.spans]


def label(signals: Signals, profile: Profile, factor: float = 1.0, f: Filtered | None = None) -> Truth:
    """Every event, with thresholds made harder by a factor (see thresholds.py); `f` saves filtering again."""
    th = Thresholds.of(profile, factor)
    f = f or filtered(signals, th.rest_m)
    m = movement(f, th)
    truth = Truth([], m, f, relative_tension(f, th))
    for finder in (_sets, _turnarounds, _jerks, _tensions, _rests, _stalls, _speeds, _reps):
        truth.events += finder(truth, th)
    for event in truth.events:
        event.true_s = max(event.true_s, event.t_s)
    truth.events.sort(key=lambda event: event.t_s)
    _name_primaries(truth.events)
    _summaries(truth, th)
    return truth


def relative_tension(f: Filtered, th: Thresholds) -> Floats:
    """w': T/W without friction; while still, what stiction hides is 1."""
    if th.load_n <= 0:
        return np.full(len(f.t_s), np.nan)
    w = f.tension_n / th.load_n
    moving = w - th.friction * np.tanh(f.v_m_s / FRICTION_SPEED_M_S)
    still = 1 + np.sign(w - 1) * np.maximum(np.abs(w - 1) - th.friction, 0.0)
    return np.where(np.abs(f.v_m_s) < th.rest_m_s, still, moving)


def _event(truth: Truth, kind: str, first: int, end: int | None, hold_s: float = 0.0, **own: Any) -> Label:
    """An interval from one sample to another, true once it has held; `end` None: an instant."""
    f, m = truth.filtered, truth.movement
    i = min(first, len(f.t_s) - 1)
    duration_s: float | None = 0.0 if end is None else (end - i) * f.step_s
    if end is not None and end >= len(f.t_s):
        duration_s = None
    number = int(m.in_set[i])
    rep = max(sum(rep.first <= i for rep in m.spans[number - 1].reps), 1) if number else None
    x_m, phase = float(f.x_m[i]), PHASES[m.phase[i]]
    t_s = float(f.t_s[i])
    return Label(kind, t_s, duration_s, number or None, rep, phase, x_m, own, true_s=t_s + hold_s)


def _sets(truth: Truth, th: Thresholds) -> list[Label]:
    found = []
    for number, span in enumerate(truth.movement.spans, 1):
        found.append(_event(truth, "set_start", span.first, None, th.start_hold_s))
        if span.last is not None:
            found.append(_event(truth, "set_end", span.last, None, th.end_rest_s))
            found[-1].set = number
    return found


def _reps(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    for number, span in enumerate(m.spans, 1):
        for n, rep in enumerate(span.reps, 1):
            before, middle, after = (m.turns[i] for i in rep.turns)
            there_s = (middle.dwell[0] - before.dwell[1]) * f.step_s
            back_s = (after.dwell[0] - middle.dwell[1]) * f.step_s
            dwell_s = (middle.dwell[1] - middle.dwell[0]) * f.step_s
            other_s = (before.dwell[1] - before.dwell[0]) * f.step_s
            up = before.at == "lower"
            body = slice(rep.first, max(rep.last, rep.first + 1))
            tension_n = f.tension_n[body]
            event = _event(
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
                    for a, b in _sticking(f, th)
                ),
                bounds_s=[float(f.t_s[min(i, len(f.t_s) - 1)]) for i in (rep.first, *middle.dwell, rep.last)],
            )
            event.set, event.rep = number, n
            found.append(event)
    return found


def _turnarounds(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    for turn in m.turns:
        middle = (turn.dwell[0] + turn.dwell[1]) // 2
        if not turn.reversal or not m.in_set[min(middle, turn.dwell[0] + 1)]:
            continue
        grade, peak_m_s2, seen = _grade(f, th, turn)
        away = np.abs(f.x_m[turn.dwell[1] :] - f.x_m[turn.index]) >= th.reversal_m
        seen = max(seen, turn.dwell[1] + int(np.argmax(away)))
        event = _event(
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
    if known and turn.at == "lower":
        after = slice(turn.dwell[1], turn.dwell[1] + round(th.rebound_s / f.step_s))
        rebound_m_s = float(np.max(f.v_m_s[after], initial=0.0))
        if turn.contact or f.x_m[turn.index] < th.bottom_x_m + th.bounce_m or rebound_m_s > th.rebound_m_s:
            return "bounce", peak_m_s2, known[0]
    if turn.contact:
        return None, peak_m_s2, 0
    if known:
        return "abrupt", peak_m_s2, known[0]
    dwell_s = (turn.dwell[1] - turn.dwell[0]) * f.step_s
    smooth = peak_m_s2 <= th.smooth_m_s2 and dwell_s <= th.smooth_dwell_s
    return ("smooth" if smooth else "fair"), peak_m_s2, 0


def _jerks(truth: Truth, th: Thresholds) -> list[Label]:
    f, off_rest = truth.filtered, truth.movement.off_rest
    g = STANDARD_GRAVITY_M_S2
    hold_s, join_s = th.jerk_hold_s, th.jerk_join_s
    up = joined(held((f.v_m_s > 0) & off_rest & (f.a_m_s2 > th.jerk_m_s2), hold_s, f.step_s), join_s, f.step_s)
    down = joined(held((f.v_m_s < 0) & off_rest & (f.a_m_s2 < -th.jerk_m_s2), hold_s, f.step_s), join_s, f.step_s)
    found = []
    stuck = [b for _, b in _sticking(f, th)] + [b for a, b, _ in _stall_runs(truth, th)]
    for a, b in up:
        if f.x_m[a] < th.bottom_x_m + th.start_zone_m:
            cause = "start"
        elif any(-0.1 <= (a - end) * f.step_s <= th.shove_s for end in stuck):
            cause = "shove"
        else:
            cause = "mid"
        found.append(_event(truth, "jerk", a, b, th.jerk_hold_s, cause=cause, peak_g=float(np.max(f.a_m_s2[a:b])) / g))
    for a, b in down:
        found.append(_event(truth, "drop", a, b, th.jerk_hold_s, peak_g=float(np.max(-f.a_m_s2[a:b])) / g))
    return found


def _tensions(truth: Truth, th: Thresholds) -> list[Label]:
    f, off_rest, relative = truth.filtered, truth.movement.off_rest, truth.relative
    if th.load_n <= 0:
        return []
    found = []
    for a, b in held(off_rest & (relative < 1 - th.unload), th.unload_hold_s, f.step_s):
        found.append(_event(truth, "unload", a, b, th.unload_hold_s, low=float(np.min(relative[a:b]))))
    for a, b in held(off_rest & (f.fast_tension_n < th.slack_n), th.slack_hold_s, f.step_s):
        found.append(_event(truth, "slack", a, b, th.slack_hold_s))
    for side, mask in (("low", relative < 1 - th.band), ("high", relative > 1 + th.band)):
        for a, b in joined(held(off_rest & mask, th.band_hold_s, f.step_s), th.band_join_s, f.step_s):
            furthest = float((np.min if side == "low" else np.max)(relative[a:b]))
            found.append(_event(truth, "tension_out", a, b, th.band_hold_s, side=side, extreme=furthest))
    for a, b in held(f.fast_tension_n > th.ceiling_n, th.ceiling_hold_s, f.step_s):
        found.append(
            _event(truth, "force_ceiling", a, b, th.ceiling_hold_s, peak_tension_n=float(np.max(f.fast_tension_n[a:b])))
        )
    return found


def _rests(truth: Truth, th: Thresholds) -> list[Label]:
    f, m = truth.filtered, truth.movement
    found = []
    at_lockout = (f.x_m >= th.lockout_zone_x_m) & (np.abs(f.v_m_s) < th.lockout_m_s)
    for a, b in held(at_lockout, th.lockout_s, f.step_s):
        found.append(_event(truth, "lockout_rest", a, b, th.lockout_s))
    for span in m.spans:
        found += _contacts(truth, th, span)
    return found


def _contacts(truth: Truth, th: Thresholds, span: Span) -> list[Label]:
    f = truth.filtered
    found = []
    for a, b in held(truth.movement.contact, th.touch_hold_s, f.step_s):
        ends_set = a == span.last
        if not (span.first < a and (span.last is None or a <= span.last)):
            continue
        before = f.raw_v_m_s[max(a - round(LANDING_S / f.step_s), 0) : a + 1]
        speed_m_s = max(float(-np.min(before)), 0.0)
        touch = _event(truth, "stack_touch", a, b, th.touch_hold_s, slam=speed_m_s > th.slam_m_s, speed_m_s=speed_m_s)
        rest = _event(truth, "bottom_rest", a, b, th.bottom_rest_s)
        for event in (touch, rest):
            event.own["ended_set"] = ends_set
            event.set = truth.movement.spans.index(span) + 1
            event.rep = event.rep or max(len(span.reps), 1)
        found.append(touch)
        if (b - a) * f.step_s >= th.bottom_rest_s:
            found.append(rest)
    return found


def _positives(truth: Truth) -> list[tuple[int, int]]:
    """From the lower dwell to the end of the dwell where it turned, within sets."""
    turns = truth.movement.turns
    n = len(truth.filtered.t_s)
    return [
        (turn.dwell[1], turns[i + 1].dwell[1] if i + 1 < len(turns) else n)
        for i, turn in enumerate(turns)
        if turn.at == "lower"
    ]


def _stall_runs(truth: Truth, th: Thresholds) -> list[tuple[int, int, int]]:
    """(first, behind the last, which positive) of every stall."""
    f = truth.filtered
    speed = np.abs(f.v_m_s)
    low_m, high_m = th.stall_zone_x_m
    still = (speed < th.stall_m_s) & (f.x_m >= low_m) & (f.x_m <= high_m) & truth.movement.off_rest
    found = []
    for number, (begin, end) in enumerate(_positives(truth)):
        i = begin
        while i < end:
            ahead = np.flatnonzero(still[i:end])
            if not len(ahead):
                break
            first = i + int(ahead[0])
            over = (speed[first:end] > th.stall_move_m_s) | (
                np.abs(f.x_m[first:end] - f.x_m[first]) > th.stall_travel_m
            )
            last = first + int(np.argmax(over)) if over.any() else end
            if (last - first) * f.step_s >= th.stall_s:
                found.append((first, last, number))
            i = max(last, first + 1)
    return found


def _sticking(f: Filtered, th: Thresholds) -> list[tuple[int, int]]:
    low_m, high_m = th.stall_zone_x_m
    slow = (f.v_m_s > 0) & (f.v_m_s < th.sticking_m_s) & (f.x_m >= low_m) & (f.x_m <= high_m)
    shortest_s, longest_s = th.sticking_s
    return [(a, b) for a, b in held(slow, shortest_s, f.step_s) if (b - a) * f.step_s < longest_s]


def _stalls(truth: Truth, th: Thresholds) -> list[Label]:
    f = truth.filtered
    found: list[Label] = []
    failed: set[int] = set()
    for first, last, positive in _stall_runs(truth, th):
        found.append(_event(truth, "stall", first, last, th.stall_s))
        met = _failure_sample(truth, th, first, last)
        if met is not None and positive not in failed and _full_reps_before(truth, first):
            failed.add(positive)
            found.append(_event(truth, "failure", met, None, stall_s=float(f.t_s[first])))
    return found


def _failure_sample(truth: Truth, th: Thresholds, first: int, last: int) -> int | None:
    """The sample at which a stall has become a failure."""
    f = truth.filtered
    stall_s = (last - first) * f.step_s
    met = []
    if stall_s >= th.failure_total_s:
        met.append(first + round(th.failure_total_s / f.step_s))
    if stall_s >= th.failure_stall_s:
        x = f.x_m[first:]
        peak = np.maximum.accumulate(x)
        descended = peak - x >= th.failure_descent_m
        topped = peak >= th.top_x_m - th.partial_top_m
        i = int(np.argmax(descended)) if descended.any() else len(x)
        j = int(np.argmax(topped)) if topped.any() else len(x)
        if i < min(j, len(x)):
            met.append(first + i)
    return min(met, default=None)


def _full_reps_before(truth: Truth, at: int) -> bool:
    number = int(truth.movement.in_set[at])
    return number > 0 and any(rep.last <= at and not rep.partial for rep in truth.movement.spans[number - 1].reps)


def _speeds(truth: Truth, th: Thresholds) -> list[Label]:
    f = truth.filtered
    fast: tuple[Bools, Bools] = (f.v_m_s > th.speed_positive_m_s, f.v_m_s < -th.speed_negative_m_s)
    return [
        _event(truth, "speed_over", a, b, th.speed_hold_s, peak_velocity_m_s=float(np.max(np.abs(f.v_m_s[a:b]))))
        for mask in fast
        for a, b in held(mask, th.speed_hold_s, f.step_s)
    ]


def _name_primaries(events: list[Label]) -> None:
    """One primary for each physical act: the foremost in the order that overlaps or is within 0.3 s."""
    ranked = [(i, event, event.rank) for i, event in enumerate(events) if event.rank is not None]
    for _, event, rank in ranked:
        near = [
            (other_rank, abs(other.t_s - event.t_s), j)
            for j, other, other_rank in ranked
            if other_rank < rank and other.t_s <= event.end_s + ONE_ACT_S and event.t_s <= other.end_s + ONE_ACT_S
        ]
        event.part_of = min(near)[2] if near else None


def _summaries(truth: Truth, th: Thresholds) -> None:
    """What a set_end carries: time under load, under tension, and the leak by cause."""
    f, m = truth.filtered, truth.movement
    lockout = np.zeros(len(f.t_s), bool)
    unloaded = np.zeros(len(f.t_s), bool)
    first_s = f.t_s[0]
    for event in truth.events:
        if event.kind in ("lockout_rest", "unload"):
            a = round((event.t_s - first_s) / f.step_s)
            b = len(f.t_s) if event.duration_s is None else round((event.end_s - first_s) / f.step_s)
            (lockout if event.kind == "lockout_rest" else unloaded)[a:b] = True
    for event in truth.of("set_end"):
        number = event.set or 0
        span = m.spans[number - 1]
        loaded = (m.in_set == number) & (f.tension_n >= th.under_load_n)
        rest = loaded & m.contact
        good = loaded & (np.abs(truth.relative - 1) <= th.band) & ~lockout & ~rest
        left = loaded & ~good
        leak = {}
        for name, mask in (
            ("lockout_s", lockout),
            ("bottom_s", rest),
            ("unload_s", unloaded),
            ("low_tension_s", truth.relative < 1 - th.band),
            ("other_s", np.ones(len(f.t_s), bool)),
        ):
            leak[name] = float(np.sum(left & mask)) * f.step_s
            left &= ~mask
        event.own |= {
            "reps": len(span.reps),
            "partial_reps": sum(rep.partial for rep in span.reps),
            "under_load_s": float(np.sum(loaded)) * f.step_s,
            "under_tension_s": float(np.sum(good)) * f.step_s,
            "leak": leak,
            "working_load_n": th.load_n,
            "friction": th.friction,
            "outcome": "failure" if any(e.set == number for e in truth.of("failure")) else "ended",
        }
