"""The records of all events: one struct per kind, one JSON object per record.

    opening record   {"id":7, ..., "duration_s":null}            an interval has begun
    closing record   {"id":7, ..., "duration_s":0.31, "closed_s":12.9}   the same id, it has ended
    instant          {"id":8, ..., "duration_s":0}

`t_s` is when it happened, `found_s` the session time of the sample with which it was detected. A record is sent
again under its id when its interval ends or when its primary event (`part_of`) becomes known.
"""

from typing import Literal, TypedDict

import msgspec
from msgspec import UNSET, UnsetType

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # what decoding others' JSON may raise
FaultCause = Literal[
    "gap", "restart", "encoder_jump", "encoder_slip", "flagged", "frozen", "saturated", "spike", "mismatch", "load"
]
Grade = Literal["smooth", "fair", "abrupt", "bounce"]
Phase = Literal["rest", "positive", "upper_turn", "negative", "lower_turn", "hold", "held"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The keys that every record has. Times in s on the session clock, position in m above the rest."""

    id: int
    session: str
    set: int | None
    t_s: float
    found_s: float
    duration_s: float | None
    rep: int | None
    phase: Phase
    position_m: float | None
    part_of: int | None = None
    closed_s: float | UnsetType = UNSET
    cut: bool | UnsetType = UNSET

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)


class Stamp(TypedDict):
    """The keys that every event has from its detector: `Jerk(**stamp, cause=..., peak_g=...)`, each field checked."""

    id: int
    session: str
    set: int | None
    t_s: float
    found_s: float
    duration_s: float | None
    rep: int | None
    phase: Phase
    position_m: float | None


def stamp_of(event: Event) -> Stamp:
    """The stamp of an event, to write its record again."""
    return Stamp(
        id=event.id,
        session=event.session,
        set=event.set,
        t_s=event.t_s,
        found_s=event.found_s,
        duration_s=event.duration_s,
        rep=event.rep,
        phase=event.phase,
        position_m=event.position_m,
    )


class SetStart(Event, frozen=True, kw_only=True, tag="set_start"):
    """The stack left its rest."""


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of a set that leaked, by cause, each second once; all but `unjudged_s` add up to what leaked.

    In `unjudged_s` the load or the sensors were not known. It counts neither for nor against skill.
    """

    lockout_s: float
    bottom_s: float
    unload_s: float
    low_tension_s: float
    high_tension_s: float = 0.0
    speed_s: float = 0.0
    jerk_s: float = 0.0
    drop_s: float = 0.0
    turnaround_s: float = 0.0
    unjudged_s: float = 0.0

    def __add__(self, other: "Leak") -> "Leak":
        """Field by field, rounded to 1 ms."""
        sums = {name: round(getattr(self, name) + getattr(other, name), 3) for name in self.__struct_fields__}
        return Leak(**sums)


class Assist(Event, frozen=True, kw_only=True, tag="assist"):
    """Somebody else lifts the stack, or pushes it down. It is not a fault."""

    side: Literal["lighter", "heavier"]


class LoadChange(Event, frozen=True, kw_only=True, tag="load_change"):
    """The selected load differs from the one before; dated at the lift-off. It is not a fault."""

    from_n: float
    to_n: float


class LoadStep(Event, frozen=True, kw_only=True, tag="load_step"):
    """A motor makes the way down heavier or lighter than the way up. It is not a fault."""

    load_up_n: float
    load_down_n: float


class LoadStretch(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in a set with one load."""

    load_n: float | None
    reps: int
    full_reps: int
    under_load_s: float
    under_tension_s: float | None
    skill: float | None


class SetEnd(Event, frozen=True, kw_only=True, tag="set_end"):
    """The set is over; carries its summary. `counts` holds primary events by kind."""

    reps: int
    partial_reps: int
    under_load_s: float
    under_tension_s: float | None
    leak: Leak | None
    counts: dict[str, int]
    working_load_n: float | None
    working_load_from: Literal["given", "learned", "unknown"]
    friction: float | None
    friction_from: Literal["given", "learned", "unknown"]
    skill: float | None  # the share of the judged part of set_s that did not leak, 0..1
    strength_n: float | None  # the load at that skill
    outcome: Literal["failure", "ended"]
    loads: tuple[LoadStretch, ...] = ()  # by stretch of constant load, in order
    clean_reps: int | None = None  # without a primary fault; null in records of old versions
    set_s: float | None = None  # from set_start to the end of the last repetition; null in records of old versions


class RepStart(msgspec.Struct, frozen=True, kw_only=True):
    """How a repetition left the rest."""

    grade: Literal["squeezed", "fair", "jerked"]
    upload_s: float  # from nearly no tension to lift-off
    first_25_mm_s: float
    peak_g: float


class Segmented(msgspec.Struct, frozen=True, kw_only=True):
    """Dips of the speed within a movement: 0 is even."""

    positive: int
    negative: int


class Rep(Event, frozen=True, kw_only=True, tag="rep"):
    """One positive and one negative."""

    partial: bool
    positive_s: float
    negative_s: float
    upper_dwell_s: float
    lower_dwell_s: float
    rom_m: float
    peak_velocity_m_s: float | None  # null: only glimpses were seen between gaps
    peak_g: float | None
    tension_min_n: float | None
    tension_mean_n: float | None
    tension_max_n: float | None
    in_band_s: float | None
    sticking: bool = False
    load_n: float | None = None  # null: not known when the repetition ended
    assisted: bool = False  # somebody else did its positive
    start: RepStart | None = None  # null: it did not begin on the rest
    segmented: Segmented | None = None  # null in records of old versions


class Turnaround(Event, frozen=True, kw_only=True, tag="turnaround"):
    """A reversal; `grade` is null where none is given (on the rest)."""

    at: Literal["upper", "lower"]
    grade: Grade | None
    dwell_s: float
    peak_g: float


class Jerk(Event, frozen=True, kw_only=True, tag="jerk"):
    """A heave: the stack thrown rather than lifted."""

    cause: Literal["start", "shove", "mid"]
    peak_g: float


class Drop(Event, frozen=True, kw_only=True, tag="drop"):
    """A negative let go."""

    peak_g: float


class Unload(Event, frozen=True, kw_only=True, tag="unload"):
    """Tension well below the load, off the rest."""

    low: float  # the lowest w' so far


class Slack(Event, frozen=True, kw_only=True, tag="slack"):
    """The cable hung loose, off the rest."""


class LockoutRest(Event, frozen=True, kw_only=True, tag="lockout_rest"):
    """Stillness at the end of the travel: inferred from position and dwell."""


class StackTouch(Event, frozen=True, kw_only=True, tag="stack_touch"):
    """The stack set down within a set."""

    slam: bool
    speed_m_s: float
    ended_set: bool = False


class BottomRest(Event, frozen=True, kw_only=True, tag="bottom_rest"):
    """A stack left standing within a set."""

    ended_set: bool = False


class Stall(Event, frozen=True, kw_only=True, tag="stall"):
    """The positive came to a stop between its ends."""


class Failure(Event, frozen=True, kw_only=True, tag="failure"):
    """Momentary muscular failure, as far as position and force can show."""

    held_s: float | None = None  # how long the lifter kept pushing after it; null until that is known


class SpeedOver(Event, frozen=True, kw_only=True, tag="speed_over"):
    """Faster than kappa times the phase's target speed."""

    peak_velocity_m_s: float


class TensionOut(Event, frozen=True, kw_only=True, tag="tension_out"):
    """Out of the tension band."""

    side: Literal["low", "high"]
    extreme: float  # the w' furthest from 1 so far


class ForceCeiling(Event, frozen=True, kw_only=True, tag="force_ceiling"):
    """Above the force ceiling: an advice, not a safety device."""

    peak_tension_n: float


class SensorFault(Event, frozen=True, kw_only=True, tag="sensor_fault"):
    """The sensors cannot be believed."""

    cause: FaultCause
    detail: str | UnsetType = UNSET


class Stage(Event, frozen=True, kw_only=True, tag="stage"):
    """A stage of a timed static contraction; the record is sent when it begins and when it ends."""

    stage: int
    target_n: float
    mean_n: float | None
    in_band_s: float


AnyEvent = (
    SetStart | SetEnd | Rep | Turnaround | Jerk | Drop | Unload | Slack | LockoutRest | StackTouch | BottomRest | Stall
    | Failure | LoadChange | Assist | LoadStep | SpeedOver | TensionOut | ForceCeiling | SensorFault | Stage
)  # fmt: skip

KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in AnyEvent.__args__)


class Feedback(msgspec.Struct, frozen=True, gc=False):
    """What the lifter sees, 25 times a second; the newest wins."""

    t_s: float
    tension_n: float | None  # null: no believable force
    tension: float | None  # w', 1 is exactly the load; null until the load is known
    band: Literal["low", "in", "high"] | None
    phase: Phase
    position: float | None  # 0..1 of the working range, and a little beyond it
    pace: float | None  # where the target cadence would be, 0..1; null outside a set
    velocity_m_s: float | None
    set: int | None
    rep: int  # full repetitions of this set so far
    under_load_s: float
    under_tension_s: float
    resting: Literal["lockout", "bottom"] | None
    cue: str | None  # its key; the word is in a cue pack
    load_n: float | None  # the working load that `tension` is relative to
    load_from: Literal["given", "learned", "presumed", "unknown"]
    fault: str | None  # cause of an open sensor fault


class Update(msgspec.Struct, frozen=True):
    """The output for one batch: event records in the order of `found_s`, feedback in the order of `t_s`."""

    events: list[AnyEvent]
    feedback: list[Feedback]

    def __add__(self, later: "Update") -> "Update":
        return Update(self.events + later.events, self.feedback + later.feedback)


def encode(event: Event) -> bytes:
    """One record as a line of JSON, without the line's end."""
    return msgspec.json.encode(event)


def decode(record: bytes) -> AnyEvent:
    """Read one record; unknown keys are ignored. Raises one of UNREADABLE."""
    return _DECODER.decode(record)


_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
