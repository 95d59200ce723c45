"""What an event says to a person, in half a line of plain words."""

from typing import assert_never

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from monitor.events import (
    AnyEvent,
    BottomRest,
    Drop,
    Failure,
    ForceCeiling,
    Jerk,
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

LONG_S = 60.0  # from here on minutes are read more easily
CAUSES = {
    "gap": "nothing came",
    "restart": "the device restarted",
    "encoder_jump": "the position jumped",
    "encoder_slip": "the encoder slips",
    "flagged": "the cell's converter doubts itself",
    "frozen": "the cell repeats itself",
    "saturated": "the cell is at its rail",
    "spike": "the force spikes",
    "mismatch": "force and movement contradict each other",
    "load": "another load than the pin's",
}


def describe(event: AnyEvent) -> str:
    """Beside its kind and its time."""
    match event:
        case SetStart():
            return "the stack leaves its rest"
        case SetEnd(reps=reps, outcome=outcome):
            return f"{count(reps, 'repetition')}{', by failure' if outcome == 'failure' else ''}"
        case Rep(positive_s=up, negative_s=down, partial=partial):
            return f"{up:.1f} s up, {down:.1f} s down{', partial' if partial else ''}"
        case Turnaround(at=at, grade=grade, dwell_s=dwell_s, peak_g=peak_g):
            return f"{at}, {grade or 'on the rest'}, {dwell_s:.1f} s still, {peak_g:.2f} g"
        case Jerk(cause=cause, peak_g=peak_g):
            where = {"start": "from the start", "shove": "out of a stall", "mid": "on the way"}[cause]
            return f"heaved {where}, {peak_g:.2f} g"
        case Drop(peak_g=peak_g):
            return f"let go, {peak_g:.2f} g"
        case Unload(low=low):
            return f"down to {max(0.0, low):.0%} of the load"
        case Slack():
            return "the cable hung loose"
        case LockoutRest():
            return "still, at the end of the travel"
        case StackTouch(slam=slam, speed_m_s=speed_m_s, ended_set=ended_set):
            landed = f"{'slammed' if slam else 'set down'} at {speed_m_s * 100:.0f} cm/s"
            return f"{landed}, end of the set" if ended_set else landed
        case BottomRest(ended_set=ended_set):
            return "the stack stands, end of the set" if ended_set else "the stack stands"
        case Stall():
            return "the positive came to a stop"
        case Failure():
            return "the muscle failed, as far as position and force can tell"
        case SpeedOver(peak_velocity_m_s=peak_m_s):
            return f"too fast, {peak_m_s * 100:.0f} cm/s"
        case TensionOut(side=side, extreme=extreme):
            return f"too {side}, {max(0.0, extreme):.0%} of the load"
        case ForceCeiling(peak_tension_n=peak_n):
            return f"{newtons(peak_n)} is too much"
        case SensorFault(cause=cause, detail=detail):
            return CAUSES[cause] + (f" ({detail})" if isinstance(detail, str) else "")
        case Stage(stage=stage, target_n=target_n, mean_n=mean_n, in_band_s=in_band_s):
            held = "" if mean_n is None else f", held {newtons(mean_n)}, {in_band_s:.1f} s in the band"
            return f"{stage}: {newtons(target_n)}{held}"
        case _:
            assert_never(event)


def newtons(force_n: float) -> str:
    """Newtons, and the kilograms that weigh as much."""
    return f"{force_n:.0f} N ({kilograms(force_n)} kg)"


def kilograms(force_n: float) -> str:
    return f"{force_n / STANDARD_GRAVITY_M_S2:.1f}"


def count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def clock(t_s: float) -> str:
    """Minutes and seconds, to the tenth: 1:02.3; an hour and more as 1:00:02.3."""
    tenths = round(t_s * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{head}:{rest / 10:04.1f}"


def partial(n: int) -> str:
    """After a count of repetitions."""
    return f", {n} partial" if n else ""


def times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def duration(seconds: float) -> str:
    """In the unit that is read most easily."""
    if seconds < LONG_S:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes}:{rest_s:02d} min"


def kind_words(event: AnyEvent) -> str:
    return event.kind.replace("_", " ")
