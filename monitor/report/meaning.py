"""What each kind of event is called, why it matters, and what helps: the report's words for a lifter.

The names are the display's: what the lifter has read on the machine is what the report explains.
"""

from typing import Literal, NamedTuple

from monitor.events import AnyEvent, StackTouch, TensionOut, Turnaround

Lane = Literal["sets", "stages", "reps", "turns", "heaves", "rests", "less", "more", "sensors"]
Tone = Literal["plain", "good", "leak", "rough", "blind"]
LANES: dict[Lane, str] = {
    "sets": "Set",
    "stages": "Stage",
    "reps": "Repetition",
    "turns": "Turn",
    "heaves": "Heave, drop",
    "rests": "Rest, stop",
    "less": "Too little",
    "more": "Too much",
    "sensors": "Sensors",
}


class Meaning(NamedTuple):
    """`tone` says whose matter it is: nobody's, or well done; tension leaks; it is rough; the sensors' own."""

    name: str
    lane: Lane
    tone: Tone
    why: str
    remedy: str = ""


MEANINGS = {
    "set_start": Meaning("Set begins", "sets", "plain", "The load left its rest: from here on time under load counts."),
    "set_end": Meaning("Set ends", "sets", "plain", "The load came back to its rest and stayed there."),
    "failure": Meaning(
        "Failure", "sets", "plain", "The muscle could not go on, as far as position and force can tell. It is no fault."
    ),
    "stage": Meaning("Stage", "stages", "plain", "One stage of the hold, with a force of its own to keep."),
    "rep": Meaning("Repetition", "reps", "plain", "Once up and once down."),
    "rep.partial": Meaning(
        "Partial repetition", "reps", "leak", "It went only part of the way.", "Use the whole range, or end the set."
    ),
    "turnaround.smooth": Meaning(
        "Smooth turn", "turns", "good", "The movement slowed down, turned and went on, without a jolt."
    ),
    "turnaround.fair": Meaning(
        "Fair turn", "turns", "plain", "Neither rough nor quite smooth: a little slower, or without the pause."
    ),
    "turnaround.abrupt": Meaning(
        "Abrupt turn",
        "turns",
        "rough",
        "The load was snapped round: for a moment its swing did the work.",
        "Slow down before each turn.",
    ),
    "turnaround.bounce": Meaning(
        "Bounced turn",
        "turns",
        "rough",
        "The load rebounded at the bottom: the way up began with that push, not with a pull.",
        "Slow down before each turn.",
    ),
    "turnaround.None": Meaning("Turn on the rest", "turns", "plain", "It turned while the stack stood on its rest."),
    "jerk": Meaning(
        "Heave",
        "heaves",
        "rough",
        "The load was thrown instead of lifted: while it flies on by itself, the cable carries little of it.",
        "Squeeze into the lift instead of throwing it.",
    ),
    "drop": Meaning(
        "Dropped",
        "heaves",
        "rough",
        "The load was let go instead of lowered: the way down is half of the work.",
        "Lower it on purpose: let nothing fall.",
    ),
    "speed_over": Meaning(
        "Too fast",
        "heaves",
        "leak",
        "It moved much faster than the tempo that was agreed on.",
        "Follow the pacing marker.",
    ),
    "lockout_rest": Meaning(
        "Rest at the top",
        "rests",
        "leak",
        "The load stood still at the end of the travel. There, bone can carry it while the muscle rests; the sensors "
        "infer it from position and stillness alone.",
        "Turn round before the joints lock.",
    ),
    "bottom_rest": Meaning(
        "Rest at the bottom",
        "rests",
        "leak",
        "The stack stood on its rest: nothing was held.",
        "Turn round just above the rest: keep the stack off it.",
    ),
    "stack_touch": Meaning(
        "Stack set down",
        "rests",
        "leak",
        "The stack touched its rest within the set, and the tension was gone.",
        "Turn round just above the rest.",
    ),
    "stack_touch.slam": Meaning(
        "Stack slammed",
        "rests",
        "rough",
        "The stack hit its rest hard: the end of the way down was not held.",
        "Turn round just above the rest.",
    ),
    "stall": Meaning("Stalled", "rests", "plain", "The way up came to a stop. Hard, and no fault: keep pushing."),
    "unload": Meaning(
        "Unloaded",
        "less",
        "leak",
        "For a moment the cable carried much less than the load.",
        "Keep squeezing behind the load after the start.",
    ),
    "slack": Meaning(
        "Cable slack",
        "less",
        "rough",
        "The cable hung loose: the load flew, and nothing was pulled.",
        "Keep the cable tight on the way down.",
    ),
    "tension_out.low": Meaning(
        "Tension low", "less", "leak", "Less than the target band for a while.", "Press evenly all the way."
    ),
    "tension_out.high": Meaning(
        "Tension high", "more", "leak", "More than the target band for a while.", "Push no harder than the load needs."
    ),
    "force_ceiling": Meaning(
        "Force ceiling",
        "more",
        "rough",
        "More force than is wise at this load. This is advice; the machine does not protect you.",
        "Build the force up more slowly.",
    ),
    "sensor_fault": Meaning(
        "Sensor fault", "sensors", "blind", "The sensors cannot be believed here: nothing is judged."
    ),
}
ENDING = "It ended the set, and that is no fault."


def meaning(event: AnyEvent) -> Meaning:
    """With what is particular about this one."""
    match event:
        case Turnaround(grade=grade):
            key = f"turnaround.{grade}"
        case TensionOut(side=side):
            key = f"tension_out.{side}"
        case StackTouch(slam=True):
            key = "stack_touch.slam"
        case _:
            key = "rep.partial" if getattr(event, "partial", False) else event.kind
    found = MEANINGS[key]
    if getattr(event, "ended_set", False):
        return found._replace(tone="plain", why=ENDING, remedy="")
    return found


def remedy_of(key: str) -> str:
    return MEANINGS[key].remedy


def is_fault(event: AnyEvent) -> bool:
    """Something of the lifter's to mend. What follows from a greater act is no second one, but what was done is told:
    a heave is a heave though its force went through the ceiling, a rest is a rest though it ended in a drop."""
    told = meaning(event)
    done = told.lane == "rests" or event.kind in ("jerk", "drop")
    return told.tone in ("leak", "rough") and event.kind != "rep" and (event.part_of is None or done)
