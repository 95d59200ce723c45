"""A frozen moment: everything that a detector sees when it is woken.

Besides events, detectors find facts, for example that the stack stands still or that a repetition is over. Each kind
of fact is returned by one detector, which its struct names, and has one field of the moment. A `Fact` holds until that
detector returns another; a `Happening` holds at one moment only. The last fields are messages of the panel.
"""

from typing import NamedTuple

import msgspec

from monitor.events import Event, FaultCause, Phase, Stamp
from monitor.learning.range import LearnedRange
from monitor.profile.limits import Limits
from monitor.signals.conditions import Bit
from monitor.signals.grid import STEP_S, Hole
from monitor.signals.position_tracker import PositionDoubt
from monitor.signals.signal_window import SignalWindow
from monitor.signals.zigzag import Reversal

NEVER = 1 << 62  # after all moments
STEPS_A_SECOND = round(1 / STEP_S)


class TurningPoint(msgspec.Struct, frozen=True):
    """A reversal with its dwell: moments from `dwell_start` up to but not including `dwell_end`."""

    reversal: Reversal
    dwell_start: int
    dwell_end: int

    @property
    def middle(self) -> int:
        return (self.dwell_start + self.dwell_end) // 2


class Flagged(NamedTuple):
    """A reading that the device or the grid has marked; known from moment `step` on."""

    step: int
    stamp_s: float
    flags: int


News = Hole | Flagged | PositionDoubt  # seen in the stream itself; known from moment `step` on


class Fact(msgspec.Struct, frozen=True):
    """Found by one detector; it holds until that detector returns another."""


class Stillness(Fact, frozen=True):
    """By TurnFinder, in slow moments: since when the stack stands still, and the newest standstill that has ended."""

    # It changes with Bit.STILL, which those who read it watch: so it alone wakes nobody.
    since: int | None = None
    last: tuple[int, int] | None = None


class Hold(Fact, frozen=True):
    """By HoldFinder: since when the stack has hung on a hook, a stop or a hand, without tension."""

    since: int | None = None


class Stop(Fact, frozen=True):
    """By StopFinder: since when, until when and where the stack stands, or stood last, on a stop under load."""

    since: int | None = None
    until: int | None = None  # None: it stands there
    x_m: float = 0.0

    @property
    def stands(self) -> bool:
        return self.since is not None and self.until is None


class SensorTrust(Fact, frozen=True):
    """By FaultDetector: the last stretches in which the force was doubted, and the open fault that spoils readings."""

    doubted: tuple[tuple[int, int], ...] = ()  # the last one ends at NEVER while it lasts
    fault: FaultCause | None = None

    @property
    def force_doubted(self) -> bool:
        return bool(self.doubted) and self.doubted[-1][1] == NEVER


class Pull(Fact, frozen=True):
    """By SetDetector, on a motor: the lifter pulls already, before the set is known to have begun."""

    pulled: bool = False


class Reps(Fact, frozen=True):
    """By RepDetector: repetitions of this set, and the last sticking in slow moments."""

    full: int = 0
    partial: int = 0
    pending: bool = False  # the present swing will count once it is over
    lowest_m: float | None = None  # the lowest turn of those before the last one
    sticking_since: int = -NEVER
    sticking_until: int = -NEVER


class Stalling(Fact, frozen=True):
    """By StallDetector: whether a stall is open, and the end of the last one in slow moments."""

    open: bool = False
    until: int = -NEVER


class LockoutState(Fact, frozen=True):
    """By LockoutDetector: since when an open rest at lockout has lasted."""

    since: int | None = None


class Staging(Fact, frozen=True):
    """By StageDetector: whether the last stage is over, so that there is no target; the set's highest force."""

    aimless: bool = False
    highest_n: float = 0.0


class Assistance(Fact, frozen=True):
    """By AssistDetector: the last stretches in which a helper also moved the stack."""

    stretches: tuple[tuple[int, int], ...] = ()  # the last one ends at NEVER while it lasts

    @property
    def lasts(self) -> bool:
        return bool(self.stretches) and self.stretches[-1][1] == NEVER

    def explains(self, start: int, end: int) -> bool:
        """Whether one overlaps what happened from one moment up to another."""
        return any(since < end and start < until for since, until in self.stretches)


class Thrown(Fact, frozen=True):
    """By SurgeDetector: when the newest jerk at the start of a movement began."""

    start_at: int = -NEVER


class Happening(Fact, frozen=True):
    """Found by one detector; it holds at one moment only."""


class Turned(Happening, frozen=True):
    """By TurnFinder: the reversals that were confirmed, with their dwell, in order."""

    points: tuple[TurningPoint, ...] = ()


class PlaceFound(Happening, frozen=True):
    """By RestFinder: the stack stands `off_m` lower than it seems. It has rested since then; None: it hangs there."""

    off_m: float
    rests_since: int | None


class ZeroFound(Happening, frozen=True):
    """By ZeroFinder: while nothing pulls, the cell reads `off_n` more than at moment `since`."""

    off_n: float
    since: int


class SetStarted(Happening, frozen=True):
    """By SetDetector: a set began at moment `at`; while a set is open, this corrects its beginning."""

    at: int


class SetEnded(Happening, frozen=True):
    """By SetDetector: the set was over at moment `at`."""

    at: int


class RepFinished(Happening, frozen=True):
    """By RepDetector: a repetition from the turn `first` over the turn `middle` to `last_m`, over at moment `end`."""

    first: TurningPoint
    middle: TurningPoint
    last_m: float
    end: int
    follows: bool = False  # another one in the air, so that the turn between them belongs to the range

    @property
    def shown(self) -> LearnedRange:
        """Its way between the far turn and the nearer one of the two around it: the other may lie on the rest."""
        far_m, first_m = self.middle.reversal.x_m, self.first.reversal.x_m
        if self.middle.reversal.at == "upper":
            return LearnedRange(first_m if self.follows else max(first_m, self.last_m), far_m)
        return LearnedRange(far_m, min(first_m, self.last_m))


class RepWentOn(Happening, frozen=True):
    """By RepDetector: the movement of the last repetition went on after all, until moment `end`."""

    end: int


class LoadConfirmed(Happening, frozen=True):
    """By LoadDetector: the load is known, and it has been the same since moment `since`; `instead_of_n`: a change."""

    since: int
    instead_of_n: float | None = None


class RangeShown(Happening, frozen=True):
    """By LessonDetector: the range includes what was done from moment `since` to `until`; it can be judged now."""

    since: int
    until: int


class Moment(msgspec.Struct, frozen=True):
    """One moment; times are numbers of moments."""

    signals: SignalWindow
    session: str
    limits: Limits
    now: int
    bits: int  # what holds now: `Bit`
    direction: int  # of the present leg: +1 rising, -1 falling, 0 not known
    reversals: tuple[Reversal, ...]  # confirmed at this moment
    news: tuple[News, ...]  # known from this moment on
    phase: Phase
    in_set: bool
    set_start: int
    set_number: int | None
    rep_number: int | None
    # Facts
    stillness: Stillness
    hold: Hold
    stop: Stop
    trust: SensorTrust
    pull: Pull
    reps: Reps
    stalling: Stalling
    lockout: LockoutState
    staging: Staging
    assistance: Assistance
    thrown: Thrown
    # Happenings
    turned: Turned = Turned()
    place_found: PlaceFound | None = None
    zero_found: ZeroFound | None = None
    set_started: SetStarted | None = None
    set_ended: SetEnded | None = None
    rep_finished: RepFinished | None = None
    rep_went_on: RepWentOn | None = None
    load_confirmed: LoadConfirmed | None = None
    range_shown: RangeShown | None = None
    # From the panel, at this moment
    after_silence: bool = False  # the position was unknown for so long that earlier movement no longer counts
    zero_moved_m: float = 0.0  # the zero of the positions was moved up by this
    set_over: int | None = None  # the set ended at this moment; the lifter's open events are closed
    silenced: tuple[type[Event], ...] = ()  # open events of these kinds were closed
    known_at: int | None = None  # for a past moment that can only be judged now: the present moment

    def on(self, bit: int) -> bool:
        return bool(self.bits & bit)

    @property
    def still(self) -> bool:
        return bool(self.bits & Bit.STILL)

    @property
    def held(self) -> bool:
        return self.hold.since is not None

    @property
    def rests_since(self) -> int | None:
        return None if self.place_found is None else self.place_found.rests_since

    @property
    def slow_now(self) -> int:
        """The moment that the slow bits speak of."""
        return self.now - self.signals.slow_lag

    @property
    def x_m(self) -> float:
        return self.signals.x_m(self.now)

    @property
    def found_s(self) -> float:
        """The session time at which this moment is known."""
        known_at = self.now if self.known_at is None else self.known_at
        return round(float(self.signals.found[self.signals.row(known_at)]), 6)

    def stamp(self, start: int, end: int | None = None, phase: Phase | None = None) -> Stamp:
        """The keys that an event found now has in common with all others; `end` None: it goes on."""
        t_s = seconds(start)
        x_m = self.signals.x_m(start) if start <= self.now else float("nan")
        return Stamp(
            id=0,
            session=self.session,
            set=self.set_number,
            t_s=t_s,
            found_s=max(self.found_s, t_s),
            duration_s=None if end is None else seconds(end - start),
            rep=self.rep_number if self.set_number is not None else None,
            phase=self.phase if phase is None else phase,
            position_m=None if x_m != x_m else round(x_m, 5),
        )


def first_moment(signals: SignalWindow, session: str, limits: Limits) -> Moment:
    """What is known before the first sample."""
    return Moment(
        signals=signals,
        session=session,
        limits=limits,
        now=0,
        bits=0,
        direction=0,
        reversals=(),
        news=(),
        phase="rest",
        in_set=False,
        set_start=0,
        set_number=None,
        rep_number=None,
        stillness=Stillness(),
        hold=Hold(),
        stop=Stop(),
        trust=SensorTrust(),
        pull=Pull(),
        reps=Reps(),
        stalling=Stalling(),
        lockout=LockoutState(),
        staging=Staging(),
        assistance=Assistance(),
        thrown=Thrown(),
    )


def seconds(steps: int) -> float:
    """Moments or steps in s, without binary fractions."""
    return steps / STEPS_A_SECOND


def steps(duration_s: float) -> int:
    """A duration in steps, at least one."""
    return max(1, round(duration_s / STEP_S))
