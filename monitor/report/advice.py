"""The one thing to do better after a set, or after a session: what cost most, as the display says it."""

from collections import Counter

from monitor.events import AnyEvent, Turnaround
from monitor.report.meaning import remedy_of
from monitor.report.session_story import SetStory

WORTH_S = 1.0
CLEAN = "Clean. Keep this quality, then add a little load."
CLEAN_SO_FAR = "Clean, as far as it was judged: the load was not known from the start."
LEAK_OF = {
    "lockout_s": "lockout_rest",
    "bottom_s": "bottom_rest",
    "unload_s": "unload",
    "low_tension_s": "tension_out.low",
    "high_tension_s": "tension_out.high",
}
# What one act costs, in seconds of leak: a heave takes little time out of the band but spoils the repetition.
ACT_S = {
    "force_ceiling": 4, "jerk": 2, "drop": 2, "slack": 2, "bottom_rest": 2, "stack_touch": 1, "speed_over": 1,
}  # fmt: skip


def advice(*sets: SetStory) -> str | None:
    """None where none of them has a summary to judge it by."""
    judged = [one for one in sets if one.end is not None and (one.end.leak is not None or one.reps)]
    if not judged:
        return None
    cost_s = Counter[str]()
    for one in judged:
        cost_s.update(_costs_s(one))
    worst, most_s = cost_s.most_common(1)[0]
    if most_s >= WORTH_S:
        return remedy_of(worst)
    return CLEAN if sum(one.unjudged_s for one in judged) < WORTH_S else CLEAN_SO_FAR


def _costs_s(one: SetStory) -> dict[str, float]:
    assert one.end is not None
    cost_s = dict.fromkeys([*LEAK_OF.values(), *ACT_S, "turnaround.abrupt"], 0.0)
    for cause, key in LEAK_OF.items():
        cost_s[key] += getattr(one.end.leak, cause) if one.end.leak is not None else 0.0
    for kind, seconds in ACT_S.items():
        cost_s[kind] += one.end.counts.get(kind, 0) * seconds
    cost_s["turnaround.abrupt"] += sum(map(_is_rough_turn, one.moments))
    return cost_s


def _is_rough_turn(event: AnyEvent) -> bool:
    return isinstance(event, Turnaround) and event.part_of is None and event.grade in ("abrupt", "bounce")
