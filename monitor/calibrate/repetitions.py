"""Measures the ends of the range, the lockout and the friction from two slow repetitions."""

import numpy as np

from monitor.calibrate.height import refuse_slip
from monitor.calibrate.readings import Floats, Readings, Signal, Window
from monitor.calibrate.refused import Refused
from monitor.calibrate.sensors import refuse_faulty_sensors
from monitor.calibrate.step_results import RepetitionsResult, RestResult, SpanResult

ENDED_S = 2.0  # of rest end the two repetitions
LEAST_RANGE_M = 0.05  # a shorter movement is not a repetition
VALLEY = 0.3  # of the travel: two tops with a shallower valley between them count as one
TOPS_APART = 0.08  # of the travel
SMOOTH_S = 0.05  # over which an encoder's speed is smooth enough
STEP_S = 0.01  # of the positions in which turns are looked for
CRUISE_M_S = 0.015  # faster than this friction has its full size
CRUISE_M_S2 = 0.3  # below it, inertia is small beside friction
FASTEST_M_S = 0.25  # faster repetitions are refused: friction needs slow ones
LEAST_CRUISE = 50  # steps in either direction
NEGATIVE_FRICTION = -0.02  # of the load: a measured friction below it is refused


def two_repetitions(
    readings: Readings, rest: RestResult, metres_per_count: float, span: SpanResult, *, has_load: bool
) -> RepetitionsResult | str:
    """The result, once the stack is at rest again; until then a hint. Raises Refused."""
    if readings.seconds < ENDED_S:
        return "measuring"
    window = readings.last(ENDED_S)
    refuse_faulty_sensors(window, has_position=True)
    everything = readings.last(np.inf)
    position = everything.position
    x = Signal(position.t_s, (position.counts - rest.position_counts) * metres_per_count)
    top_m = float(np.max(x.counts))
    if top_m < LEAST_RANGE_M:
        return "waiting for the first repetition"
    tail_m = x.since(x.t_s[-1] - ENDED_S).counts
    tops = turns_of(x)
    at_rest = np.ptp(tail_m) < 0.002 and np.median(tail_m) < 0.25 * top_m
    if not at_rest:
        return f"repetition {max(len(tops), 1)}"
    back = float(np.median(window.position.counts)) - rest.position_counts
    if has_load:
        if abs(back * metres_per_count) > 0.015:
            return "set the stack down on its rest"
        refuse_slip(back, metres_per_count)
    return _found(everything, x, tops, rest, span, has_load)


def turns_of(x: Signal) -> list[tuple[float, float]]:
    """The tops of a movement, each with the lowest position between it and the top before, in metres."""
    pieces = _smoothed(x)
    least_m = VALLEY * float(np.max(pieces))
    tops: list[tuple[float, float]] = []
    low_m = high_m = low_before_m = float(pieces[0])
    rising = False
    for at_m in pieces.tolist():
        if rising:
            if at_m > high_m:
                high_m = at_m
            elif at_m < high_m - least_m:
                tops.append((high_m, low_before_m))
                rising, low_m = False, at_m
        elif at_m < low_m:
            low_m = at_m
        elif at_m > low_m + least_m:
            rising, high_m, low_before_m = True, at_m, low_m
    return tops


def _smoothed(x: Signal) -> Floats:
    """Means of SMOOTH_S around each reading."""
    n = max(1, round(SMOOTH_S * len(x) / max(float(x.t_s[-1] - x.t_s[0]), SMOOTH_S)))
    padded = np.pad(x.counts, (n // 2, n - 1 - n // 2), mode="edge")
    return np.convolve(padded, np.ones(n) / n, "valid")


def _found(
    everything: Window, x: Signal, tops: list[tuple[float, float]], rest: RestResult, span: SpanResult, has_load: bool
) -> RepetitionsResult:
    if len(tops) != 2:
        seen = f"{len(tops)} repetition" + "s" * (len(tops) != 1)
        again = "do two, one after the other, without setting the stack down between them"
        raise Refused(f"{seen} instead of two before the stack was set down", again)
    (first_m, _), (second_m, bottom_m) = tops
    if abs(first_m - second_m) > TOPS_APART * max(first_m, second_m):
        raise Refused(
            f"the two repetitions ended {abs(first_m - second_m) * 1000:.0f} mm apart",
            "do both again, each to the end of the range",
        )
    friction, load_n = None, None
    if has_load:
        friction, load_n = friction_and_load(x, everything.force, rest, span)
    return RepetitionsResult(
        bottom_m=max(bottom_m, 0.0),
        top_m=(first_m + second_m) / 2,
        lockout_m=min(first_m, second_m),
        friction=friction,
        load_n=load_n,
    )


def friction_and_load(x: Signal, force: Signal, rest: RestResult, span: SpanResult) -> tuple[float, float]:
    """Friction as a share of the load, and the load in newtons, from the steady parts of both directions."""
    t_s = np.arange(x.t_s[0], min(x.t_s[-1], force.t_s[-1]), STEP_S)
    position_m = np.interp(t_s, x.t_s, x.counts)
    force_n = (np.interp(t_s, force.t_s, force.counts) - rest.force_counts) * span.newtons_per_count
    half = 10  # steps to either side: 0.2 s
    speed_m_s = np.zeros(len(t_s))
    change_m_s2 = np.full(len(t_s), np.inf)
    speed_m_s[half:-half] = (position_m[2 * half :] - position_m[: -2 * half]) / (2 * half * STEP_S)
    change_m_s2[2 * half : -2 * half] = (speed_m_s[3 * half : -half] - speed_m_s[half : -3 * half]) / (
        2 * half * STEP_S
    )
    steady = np.abs(change_m_s2) < CRUISE_M_S2
    up, down = steady & (speed_m_s > CRUISE_M_S), steady & (speed_m_s < -CRUISE_M_S)
    if min(up.sum(), down.sum()) < LEAST_CRUISE or np.median(speed_m_s[up]) > FASTEST_M_S:
        raise Refused(
            "the repetitions were not slow and steady enough to measure friction",
            "take about five seconds up and five seconds down",
        )
    up_n, down_n = float(np.mean(force_n[up])), float(np.mean(force_n[down]))
    load_n = (up_n + down_n) / 2
    friction = (up_n - down_n) / (up_n + down_n)
    if load_n <= 0 or friction < NEGATIVE_FRICTION:
        raise Refused(
            "the force is higher going down than going up",
            "the load cell is not in the cable that lifts the stack: check where it is mounted",
        )
    return max(friction, 0.0), load_n
