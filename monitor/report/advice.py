"""The one thing to do better after a set: what cost most, as the display says it."""

from monitor.events import AnyEvent, Turnaround
from monitor.report.meaning import remedy_of
from monitor.report.session_story import SetStory

WORTH_S = 1.0
CLEAN = "Clean. Keep this quality, then add a little load."
LEAK_OF = {
    "lockout_s": "lockout_rest",
    "bottom_s": "bottom_rest",
    "unload_s": "unload",
    "low_tension_s": "tension_out.low",
}
# What one act costs, in seconds of leak: a heave takes little time out of the band but spoils the repetition.
ACT_S = {"force_ceiling": 4, "jerk": 2, "drop": 2, "slack": 2, "stack_touch": 1, "speed_over": 1}


def advice(one: SetStory) -> str | None:
    """None where the set has no summary to judge it by."""
    if one.end is None or (one.end.leak is None and not one.reps):
        return None
    cost_s = dict.fromkeys([*LEAK_OF.values(), *ACT_S, "turnaround.abrupt"], 0.0)
    for cause, key in LEAK_OF.items():
        cost_s[key] += getattr(one.end.leak, cause) if one.end.leak is not None else 0.0
    for kind, seconds in ACT_S.items():
        cost_s[kind] += one.end.counts.get(kind, 0) * seconds
    cost_s["turnaround.abrupt"] += sum(map(_is_rough_turn, one.moments))
    worst = max(cost_s, key=cost_s.__getitem__)
    return remedy_of(worst) if cost_s[worst] >= WORTH_S else CLEAN


def _is_rough_turn(event: AnyEvent) -> bool:
    return isinstance(event, Turnaround) and event.part_of is None and event.grade in ("abrupt", "bounce")
