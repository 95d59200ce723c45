"""The intentions of a lifter: a script of typed moves, for clean and faulty sets.

A move names the act, not its outcome; the physics decides what follows from it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rest:
    """Sit still: the stack is on its rest, the cable is loose."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Tug:
    """Pull at the resting stack without lifting it, and let go, as while settling into the seat."""

    share: float = 0.5  # of the load
    duration_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Heave:
    """Throw the stack: accelerate hard, then let it coast."""

    at: float = 0.0  # where in the range, 0 the start
    peak_m_s2: float = 3.0
    rise_s: float = 0.25
    share: float = 0.5  # of the load that the hand carries while coasting; 0: the cable goes slack
    coast_s: float = 0.15  # 0: no coasting


@dataclass(frozen=True, slots=True)
class Halt:
    """Come to a stop on the way up."""

    at: float = 0.6  # where in the range
    hold_s: float = 2.5
    then: str = "grind"  # "grind": go on slowly, "shove", "lower": go back down, "still": hold to the end
    shove_m_s2: float = 3.0


@dataclass(frozen=True, slots=True)
class Lift:
    """The positive."""

    to: float = 1.0  # share of the range
    speed: float = 1.0  # times the tempo
    heave: Heave | None = None
    stall: Halt | None = None
    squeeze: bool = True  # from the rest: load the cable before the stack moves; False: yank


@dataclass(frozen=True, slots=True)
class Turn:
    """A smooth turnaround. A long one at the top is a rest on locked joints."""

    dwell_s: float | None = None  # None: the lifter's own


@dataclass(frozen=True, slots=True)
class Snap:
    """An abrupt turnaround, directly from one direction into the other."""

    turn_s: float = 0.2
    speed_m_s: float = 0.0  # arrive and leave at least this fast
    below_m: float = 0.0  # at the bottom: how far below the range it goes; if onto the rest, it is a bounce


@dataclass(frozen=True, slots=True)
class LetFall:
    """Let the stack fall for a moment in the negative, then catch it."""

    at: float = 0.8  # where in the range it begins
    share: float = 0.3  # of the load that the hand carries meanwhile; 0: the cable goes slack
    for_s: float = 0.2
    catch_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Lower:
    """The negative."""

    to: float = 0.0
    speed: float = 1.0
    drop: LetFall | None = None


@dataclass(frozen=True, slots=True)
class SetDown:
    """Put the stack on its rest, and leave it there."""

    rest_s: float = 1.0
    speed_m_s: float | None = None  # None: as in the negative, 0.06 at most; above about 0.15 it slams
    loose: bool = True  # the cable goes loose; False: the hand keeps a third of the load


@dataclass(frozen=True, slots=True)
class HoldStill:
    """Stop and hold the stack still with all of its weight on the cable, as when a known weight is measured."""

    duration_s: float
    settle_s: float = 0.6


@dataclass(frozen=True, slots=True)
class Helped:
    """A move in which a helper lifts or presses the stack; the helper begins on the way and lets go at the end."""

    move: "Lift | Lower | Turn"
    share: float  # of the load that the helper carries; below 0: presses the stack down
    after: float = 0.0  # share of the range after which the helper begins, in the direction of movement


@dataclass(frozen=True, slots=True)
class Lifted:
    """A positive in which the trainer lifts the stack by hand; then the lifter takes over."""

    move: Lift = field(default_factory=Lift)
    share: float = 0.95  # of the pull that the trainer gives


@dataclass(frozen=True, slots=True)
class Brace:
    """Keep pulling at the resting stack without lifting it."""

    share: float = 0.65  # of the load
    duration_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Slacken:
    """Let the handle go back until the cable sags; the next move takes up the slack."""

    by_m: float = 0.03
    duration_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Clank:
    """Take up the slack so fast that the cable rings; the next move lifts."""

    speed_m_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Hang:
    """Lower the stack onto a hook, a pin or a range limiter, let the cable go, and take the stack over again later."""

    at: float = 0.3  # share of the range
    duration_s: float = 3.0
    rise_m: float = 0.015  # how far it is then lifted off the hook


@dataclass(frozen=True, slots=True)
class Park:
    """Lower the handle onto a stop below the range: the cable stays loaded, and nobody holds it."""

    below_m: float = 0.04
    duration_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Carry:
    """Somebody lifts the stack itself, not by the cable, and drops or lowers it."""

    height_m: float = 0.06
    duration_s: float = 1.0  # at that height
    drops: bool = True


Move = Rest | Tug | Lift | Turn | Snap | Lower | SetDown | HoldStill
GymMove = Helped | Lifted | Brace | Slacken | Clank | Hang | Park | Carry  # other people or things have a part in these


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifter:
    """How this person moves today. The defaults are those of a practised lifter."""

    tempo: float = 1.0  # length of this person's second: the systematic error of the tempo
    tempo_spread: float = 0.04  # from phase to phase
    wobble: float = 0.05  # slow variation of speed, about 1 Hz, rms share
    tremor: float = 0.005  # 8 to 12 Hz, rms share of the load in the hand
    range_spread: float = 0.012  # of the range, from turn to turn
    dwell_s: float = 0.35
    dwell_spread: float = 0.08
    ease: float = 0.8  # share of the friction's reversal that is taken over gently within the dwell
    strength: float = 2.2  # times the load; the hand yields above it
    fatigue: float = 0.2  # how much slower and shakier the last repetition is than the first
    sag_m: float = 0.0  # least sag of the loose cable: on a stiff one, 5 % of the load's stretch may still pull


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One set, or several, at one tempo."""

    positive_s: float
    negative_s: float
    moves: tuple[Move | GymMove, ...]
    lifter: Lifter = Lifter()

    @property
    def plain(self) -> bool:
        """Whether nobody but the lifter has a part in it."""
        return not any(isinstance(move, GymMove) for move in self.moves)
