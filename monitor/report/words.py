"""Describes events and quantities in plain words."""

from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from monitor.events import (
    AnyEvent,
    Assist,
    BottomRest,
    Drop,
    Failure,
    ForceCeiling,
    Jerk,
    LoadChange,
    LoadStep,
    LockoutRest,
    Rep,
    SensorFault,
    SetEnd,
    SetStart,
    Slack,
    SpeedOver,
    StackTouch,
    Stage,
    Stall,
    TensionOut,
    Turnaround,
    Unload,
)
from monitor.profile.weights import newtons
from monitor.vocabulary.lookup import faults_by_name, parts_by_name

LONG_S = 60.0  # longer times are given in minutes


def describe(event: AnyEvent) -> str:
    """The details of an event, in half a line."""
    match event:
        case SetStart():
            return "the stack leaves its rest"
        case SetEnd(reps=reps, outcome=outcome):
            return f"{count(reps, 'repetition')}{', to failure' if outcome == 'failure' else ''}"
        case Rep(positive_s=up, negative_s=down, partial=partial):
            return f"{up:.1f} s up, {down:.1f} s down{', partial' if partial else ''}"
        case Turnaround(at=at, dwell_s=dwell_s, peak_g=peak_g):
            end = "top" if at == "upper" else "bottom"
            return f"at the {end}, still for {dwell_s:.1f} s, {peak_g:.2f} g"
        case Jerk(cause=cause, peak_g=peak_g):
            when = {"start": "at the start", "shove": "after a stall", "mid": "on the way"}[cause]
            return f"{when}, {peak_g:.2f} g"
        case Drop(peak_g=peak_g):
            return f"{peak_g:.2f} g"
        case Unload(low=low):
            return f"down to {max(0.0, low):.0%} of the load"
        case Slack() | LockoutRest():
            return ""
        case StackTouch(speed_m_s=speed_m_s, ended_set=ended_set):
            return f"at {speed_m_s * 100:.0f} cm/s{_ended(ended_set)}"
        case BottomRest(ended_set=ended_set):
            return f"the stack stands{_ended(ended_set)}"
        case Stall():
            return "on the way up"
        case Failure(held_s=held_s):
            return "as far as position and force can tell" if held_s is None else f"kept pushing for {held_s:.1f} s"
        case LoadStep(load_up_n=up_n, load_down_n=down_n):
            return f"{newtons(up_n)} up, {newtons(down_n)} down"
        case Assist():
            return "not a fault of the lifter"
        case LoadChange(from_n=from_n, to_n=to_n):
            return f"{newtons(from_n)} to {newtons(to_n)}"
        case SpeedOver(peak_velocity_m_s=peak_m_s):
            return f"{peak_m_s * 100:.0f} cm/s"
        case TensionOut(extreme=extreme):
            return f"{max(0.0, extreme):.0%} of the load"
        case ForceCeiling(peak_tension_n=peak_n):
            return newtons(peak_n)
        case SensorFault(detail=detail):
            return detail if isinstance(detail, str) else ""
        case Stage(stage=stage, target_n=target_n, mean_n=mean_n, in_band_s=in_band_s):
            held = "" if mean_n is None else f", held {newtons(mean_n)}, {in_band_s:.1f} s in the band"
            return f"{stage}: {newtons(target_n)}{held}"
        case _:
            assert_never(event)


def rep_notes(rep: Rep) -> list[str]:
    """What is worth a word about a repetition."""
    notes = [
        word for word, true in (("partial", rep.partial), ("sticking", rep.sticking), ("helped", rep.assisted)) if true
    ]
    if rep.start is not None and rep.start.grade != "fair":
        notes.append(f"{rep.start.grade} start")
    if rep.segmented is not None:
        dips = ((rep.segmented.positive, "up"), (rep.segmented.negative, "down"))
        uneven = [f"{n} {way}" for n, way in dips if n]
        notes += [f"dips: {', '.join(uneven)}"] if uneven else []
    return notes


def _ended(ended_set: bool) -> str:
    return ", end of the set" if ended_set else ""


def count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def clock(t_s: float) -> str:
    """Minutes, seconds and tenths: 1:02.3; from an hour on 1:00:02.3."""
    tenths = round(t_s * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{head}:{rest / 10:04.1f}"


def partial(n: int) -> str:
    """The number of partial repetitions, to follow a count of repetitions."""
    return f", {n} partial" if n else ""


def no_strength(*, load_known: bool, completed: bool = True) -> str:
    """Why a set or a session shows no strength. Without a completed set there is no tension either."""
    if not completed:
        return "no set was completed"
    return "no repetition was full" if load_known else "the load was not known"


def times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def duration(seconds: float) -> str:
    """A duration in the unit that is easiest to read."""
    if seconds < LONG_S:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes}:{rest_s:02d} min"


def fault_words(events: Sequence[AnyEvent]) -> str:
    """How often each fault was found. Parts of other events are named, but not counted as faults."""
    faults, parts = faults_by_name(events), parts_by_name(events)
    return _counted(faults) + (f"; as part of these: {_counted(parts)}" if parts else "")


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(names.items(), key=lambda item: (-item[1], item[0])))
