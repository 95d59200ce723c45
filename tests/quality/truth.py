"""Labels every event of one set in noise-free signals, by the definitions of EVENTS.md 4 to 9.

    truth = label(signals, profile)          profile: range, working load and friction as they really are

Labels follow from the signals, never from the intent of the script that made them. Where EVENTS.md leaves room:

- *on the rest* (contact) is x < 3 mm with T < 0.5 W; *off the rest* is x > 3 mm; in between only T is judged.
- `x` is not filtered, `v` and `a` are. The speed of a landing is the highest unfiltered one in 60 ms before it.
- a hold comes before a join: runs that are long enough are joined, short ones are not events. `low` and `high` of
  `tension_out`, positive and negative of `speed_over` are joined separately.
- stillness of a stall begins with |v| < v_rest and is broken only by what ends a stall; stillness of a lockout rest is
  unbroken |v| < v_rest within the zone.
- a positive, in which a stall is possible, lasts from the lower dwell until the movement has turned by h_rev.
- a failure is reported once in a positive.
- a reversal on the rest (contact in its dwell) is graded `bounce` or not at all, and only within a set.

In addition, by the whole contract (`whole`):

- contact follows from position alone; a stack that bounces counts as on its rest.
- a stack off its rest for 0.3 s without a repetition, for example put onto a stop, does not make a set.
- a repetition that comes to a stop or a hook on its way down ends there; one that began before the stack was hung up
  for good begins where it is taken over.
- a set's pauses that end in another load begin with the contact before its lift-off.
- a stall ends when the stack is held; the stillness while it is hung up or taken over is not sticking.
- the rise of T at a start is measured over 0.2 s that end between T = 0.1 W and lift-off; lift-off is x = 3 mm.
- a fault between two repetitions may count for either of them: `clean_reps` holds all counts that are right.
- a jerk is a shove if it begins in a stall or sticking, or at most 1 s after it.
"""

import numpy as np

from monitor.profile.profile import Profile
from tests.quality import static_truth
from tests.quality.finders_force import find_rests, find_sets, find_tensions
from tests.quality.finders_load import find_assists, find_load_changes, find_load_steps, loads_of, stretches_of
from tests.quality.finders_motion import find_jerks, find_reps, find_speeds, find_stalls, find_turnarounds
from tests.quality.labels import Label, Truth, event_at
from tests.quality.movement import movement
from tests.quality.rep_details import grade_starts
from tests.quality.signals import Filtered, Floats, Signals, filtered
from tests.quality.skill import describe_sets
from tests.quality.thresholds import FRICTION_SPEED_M_S, Thresholds

ONE_ACT_S = 0.3


def label(
    signals: Signals,
    profile: Profile,
    factor: float = 1.0,
    f: Filtered | None = None,
    whole: bool = False,
    pause_s: float = 0.0,
) -> Truth:
    """Every event, with thresholds made harder by a factor (see thresholds.py); `f` avoids filtering again.

    `whole`: by the whole contract, on a stack machine. `pause_s`: planned pauses on the rest.
    """
    th = Thresholds.of(profile, factor, signals.loads, whole, pause_s)
    f = f or filtered(signals, th.rest_m)
    if th.kind == "static":
        return _label_static(f, th, profile)
    m = movement(f, th)
    truth = Truth([], m, f, relative_tension(f, th))
    loads = loads_of(f, th, signals.loads)
    truth.stretches = stretches_of(loads)
    for finder in (
        find_sets,
        find_turnarounds,
        find_jerks,
        find_tensions,
        find_rests,
        find_stalls,
        find_speeds,
        find_reps,
    ):
        truth.events += finder(truth, th)
    if whole:
        truth.events += find_load_changes(truth, th)
        truth.events += find_assists(truth, th, loads) + find_load_steps(truth, th, loads)
    for event in truth.events:
        event.true_s = max(event.true_s, event.t_s)
    truth.events.sort(key=lambda event: event.t_s)
    _name_primaries(truth.events)
    _summaries(truth, th)
    if whole:
        grade_starts(truth)
        describe_sets(truth, th)
    return truth


def _label_static(f: Filtered, th: Thresholds, profile: Profile) -> Truth:
    """Labels from force alone: stages, stretches out of their band or above the ceiling, failure."""
    m = static_truth.sets_of(f, th)
    target_n = static_truth.targets_of(m, profile, len(f.t_s))
    aimed = static_truth.in_stages(m, profile, len(f.t_s))
    relative = f.tension_n / target_n
    truth = Truth([], m, f, relative)
    truth.events += find_sets(truth, th)
    for span in m.spans:
        for number, (a, b) in enumerate(static_truth.stages_of(span, profile, len(f.t_s)), 1):
            mean_n, in_band = float(np.mean(f.tension_n[a:b])), np.abs(relative[a:b] - 1) <= th.band
            own = {"stage": number, "target_n": float(target_n[a]), "mean_n": mean_n}
            own["in_band_s"] = float(np.sum(in_band)) * f.step_s
            truth.events.append(event_at(truth, "stage", a, b, **own))
    for side, a, b in static_truth.out_of_band(f, th, relative, aimed):
        furthest = float((np.min if side == "low" else np.max)(relative[a:b]))
        truth.events.append(event_at(truth, "tension_out", a, b, th.band_hold_s, side=side, extreme=furthest))
    for a, b in static_truth.above_ceiling(f, th, target_n, profile.machine.force_ceiling_n):
        peak_n = float(np.max(f.fast_tension_n[a:b]))
        truth.events.append(event_at(truth, "force_ceiling", a, b, th.ceiling_hold_s, peak_tension_n=peak_n))
    for at in static_truth.failures(f, th, aimed, relative):
        truth.events.append(event_at(truth, "failure", at, None))
    truth.events.sort(key=lambda event: event.t_s)
    _name_primaries(truth.events)
    return truth


def relative_tension(f: Filtered, th: Thresholds) -> Floats:
    """w': T/W without friction; at a standstill, 1 within the range that stiction hides."""
    if not th.load_known:
        return np.full(len(f.t_s), np.nan)
    w = f.tension_n / th.load_n
    moving = w - th.friction * np.tanh(f.v_m_s / FRICTION_SPEED_M_S)
    still = 1 + np.sign(w - 1) * np.maximum(np.abs(w - 1) - th.friction, 0.0)
    return np.where(np.abs(f.v_m_s) < th.rest_m_s, still, moving)


def _name_primaries(events: list[Label]) -> None:
    """Give each physical act one primary: the highest rank among events that overlap or lie within 0.3 s."""
    assists = [(i, event) for i, event in enumerate(events) if event.kind == "assist"]
    for event in events:
        if event.kind == "unload":  # has no rank
            event.part_of = next((i for i, other in assists if _one_act(event, other)), None)
    ranked = [(i, event, event.rank) for i, event in enumerate(events) if event.rank is not None]
    for _, event, rank in ranked:
        near = [
            (other_rank, abs(other.t_s - event.t_s), j)
            for j, other, other_rank in ranked
            if other_rank < rank and _one_act(event, other)
        ]
        event.part_of = min(near)[2] if near else None


def _one_act(event: Label, other: Label) -> bool:
    return other.t_s <= event.end_s + ONE_ACT_S and event.t_s <= other.end_s + ONE_ACT_S


def _summaries(truth: Truth, th: Thresholds) -> None:
    """Add to each set_end its time under load, its time under tension, and the leak by cause."""
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
            ("high_tension_s", np.ones(len(f.t_s), bool)),
        ):
            leak[name] = float(np.sum(left & mask)) * f.step_s
            left &= ~mask
        event.own |= {
            "reps": len(span.reps),
            "partial_reps": sum(rep.partial for rep in span.reps),
            "under_load_s": float(np.sum(loaded)) * f.step_s,
            "under_tension_s": float(np.sum(good)) * f.step_s,
            "leak": leak,
            "working_load_n": float(np.max(th.load_n)),
            "friction": th.friction,
            "outcome": "failure" if any(e.set == number for e in truth.of("failure")) else "ended",
        }
