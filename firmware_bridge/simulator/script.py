"""What a lifter sets out to do: a script of typed moves, for sets clean and faulty.

Moves name the act, not its outcome: what comes of a heave is for the physics to say.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rest:
    """Sit there, the stack on its rest, the cable loose."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class Tug:
    """Pull at the resting stack without lifting it, and let go: settling into the seat."""

    share: float = 0.5  # of the load
    duration_s: float = 0.8


@dataclass(frozen=True, slots=True)
class Heave:
    """Throw the stack: accelerate hard, then let it coast."""

    at: float = 0.0  # where in the range, 0 the start
    peak_m_s2: float = 3.0
    rise_s: float = 0.25
    share: float = 0.5  # of the load that the hand still carries while coasting; 0: the cable goes slack
    coast_s: float = 0.15  # 0: no coasting


@dataclass(frozen=True, slots=True)
class Stall:
    """Come to a stop on the way up."""

    at: float = 0.6  # where in the range
    hold_s: float = 2.5
    then: str = "grind"  # "grind" on slowly, "shove", "lower" back down, "still": hold until it is over
    shove_m_s2: float = 3.0


@dataclass(frozen=True, slots=True)
class Lift:
    """The positive."""

    to: float = 1.0  # share of the range
    speed: float = 1.0  # times the tempo
    heave: Heave | None = None
    stall: Stall | None = None
    squeeze: bool = True  # from the rest: load the cable before the stack moves; else yank


@dataclass(frozen=True, slots=True)
class Turn:
    """The turnaround: smooth. A long one at the top is a rest on locked joints."""

    dwell_s: float | None = None  # None: the lifter's own


@dataclass(frozen=True, slots=True)
class Snap:
    """The turnaround: abrupt, straight from one direction into the other."""

    turn_s: float = 0.2
    speed_m_s: float = 0.0  # arrive and leave at least this fast
    below_m: float = 0.0  # at the bottom: how much lower than the range it goes; onto the rest: a bounce


@dataclass(frozen=True, slots=True)
class Drop:
    """Let the negative go for a moment, then catch it."""

    at: float = 0.8  # where in the range it begins
    share: float = 0.3  # of the load that the hand still carries; 0: the cable goes slack
    for_s: float = 0.2
    catch_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Lower:
    """The negative."""

    to: float = 0.0
    speed: float = 1.0
    drop: Drop | None = None


@dataclass(frozen=True, slots=True)
class SetDown:
    """Put the stack on its rest and leave it there."""

    rest_s: float = 1.0
    speed_m_s: float | None = None  # None: as in the negative, 0.06 at most; above about 0.15 it slams
    loose: bool = True  # the cable goes loose; else the hand keeps a third of the load


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop where the stack is and hold it still, all of its weight in the cable: how a known weight is measured."""

    duration_s: float
    settle_s: float = 0.6


@dataclass(frozen=True, slots=True)
class Helped:
    """A move in which somebody lends a hand, or leans on the stack: he begins on the way and lets go after it."""

    move: "Lift | Lower | Turn"
    share: float  # of the load that he carries; below 0 he presses the stack down
    after: float = 0.0  # share of the range in which he does nothing, in the direction of the movement


@dataclass(frozen=True, slots=True)
class Lifted:
    """The positive done by a trainer, who takes the stack up with the lifter's handle; the lifter takes it over."""

    move: Lift = field(default_factory=Lift)
    share: float = 0.95  # of the pull that is the trainer's


@dataclass(frozen=True, slots=True)
class Brace:
    """Keep pulling at the resting stack without lifting it."""

    share: float = 0.65  # of the load
    duration_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Slacken:
    """Let the handle go back until the cable sags; what follows takes the slack up."""

    by_m: float = 0.03
    duration_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Clank:
    """Take the slack up at a speed that makes the cable ring, and lift on from there."""

    speed_m_s: float = 0.25


@dataclass(frozen=True, slots=True)
class Hang:
    """Lower the stack onto a hook, a pin or a range limiter, let the cable go, and take it over again later."""

    at: float = 0.3  # share of the range
    duration_s: float = 3.0
    rise_m: float = 0.015  # lifted off the hook by so much


@dataclass(frozen=True, slots=True)
class Park:
    """Lower the handle onto a stop of the machine below the range: the cable stays loaded, and nobody holds it."""

    below_m: float = 0.04
    duration_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Carry:
    """Somebody lifts the stack itself, without the cable, and lets it fall or lowers it."""

    height_m: float = 0.06
    duration_s: float = 1.0  # at that height
    drops: bool = True


Move = Rest | Tug | Lift | Turn | Snap | Lower | SetDown | Hold
GymMove = Helped | Lifted | Brace | Slacken | Clank | Hang | Park | Carry  # what other people and things have a part in


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifter:
    """How this person moves today; every figure is what a practised lifter shows."""

    tempo: float = 1.0  # this person's second, in seconds: the tempo's systematic error
    tempo_spread: float = 0.04  # from phase to phase
    wobble: float = 0.05  # slow variation of speed about 1 Hz, rms share
    tremor: float = 0.005  # 8 to 12 Hz, rms share of the load in the hand
    range_spread: float = 0.012  # of the range, from turn to turn
    dwell_s: float = 0.35
    dwell_spread: float = 0.08
    ease: float = 0.8  # how much of the friction's reversal is taken over gently within the dwell
    strength: float = 2.2  # times the load; above it the hand yields
    fatigue: float = 0.2  # how much slower, and how much shakier, the last repetition is than the first
    sag_m: float = 0.0  # of the loose cable at least: on a stiff one 5 % of the load's stretch may still pull a little


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One set, or several, at one tempo."""

    positive_s: float
    negative_s: float
    moves: tuple[Move | GymMove, ...]
    lifter: Lifter = Lifter()

    @property
    def plain(self) -> bool:
        """Nobody but the lifter has a part in it."""
        return not any(isinstance(move, GymMove) for move in self.moves)
