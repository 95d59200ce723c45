"""What a case's score depends on besides its truth: tolerances, and what nobody can be asked to see."""

from dataclasses import dataclass

from tests.quality.labels import Label
from tests.quality.told import Told

# kind -> tolerance on t_s in s; at a slow tempo; more with an 80 Hz cell
TOLERANCES_S: dict[str, tuple[float, float, float]] = {
    "jerk": (0.15, 0.15, 0.0),
    "drop": (0.15, 0.15, 0.0),
    "fault_turn": (0.15, 0.30, 0.0),
    "turnaround": (0.15, 0.30, 0.0),
    "lockout_rest": (0.20, 0.20, 0.0),
    "bottom_rest": (0.10, 0.10, 0.04),
    "stack_touch": (0.05, 0.05, 0.04),
    "slack": (0.05, 0.05, 0.04),
    "force_ceiling": (0.05, 0.05, 0.04),
    "stall": (0.25, 0.25, 0.0),
    "failure": (0.50, 0.50, 0.0),
    "unload": (0.15, 0.15, 0.04),
    "tension_out": (0.20, 0.20, 0.04),
    "speed_over": (0.20, 0.20, 0.0),
    "set_start": (0.10, 0.10, 0.04),
    "set_end": (0.30, 0.30, 0.04),
    "rep": (0.30, 0.60, 0.0),
    "stage": (0.10, 0.10, 0.04),
    "sensor_fault": (0.10, 0.10, 0.04),
}
KEYS = tuple(TOLERANCES_S)
SLOW_TEMPO_S = 8.0
OF_LOAD = ("unload", "tension_out", "force_ceiling")  # nobody judges them against a load that is not there
OF_PLACE = {  # what an encoder that is off cannot know
    *("lockout_rest", "stack_touch", "bottom_rest", "stall", "failure", "set_start", "set_end", "rep", "turnaround"),
    *("slack", "unload", "tension_out"),
}
# An encoder that dies while the stack stands for a moment tells, reading for reading, what a rest tells; and within its
# friction a machine's tension is the same at rest and at a slow cruise. Until it counts again nobody can know.
OF_STILLNESS = {"lockout_rest", "bottom_rest", "stall"}
OF_SETS = {"rep", "turnaround", "fault_turn"}  # outside a set nobody says whether they are told
NEAR_BLIND_S = 0.3
GRADED_S = 0.25  # from either end of its dwell
FAULT_LATE_S = 1.0  # told so long after a fault it is still this fault
KNOWN_LATE_S = 1.0  # after a repetition's end it may take this long to be told
MISREAD = "misread"  # the profile names another load than the pin
NEEDS_LOAD = ("slack", "stack_touch", "bottom_rest", "unload", "tension_out", "force_ceiling")


END_REST_S = 5.0  # a set is over after so long a rest, seen without a silence


@dataclass(frozen=True)
class Blind:
    """A stretch in which the sensors cannot be believed; `lasting`: positions are off from then on."""

    name: str
    from_s: float
    to_s: float
    required: bool  # to be told
    lasting: bool = False

    def touches(self, from_s: float, to_s: float) -> bool:
        return self.from_s - NEAR_BLIND_S <= to_s and from_s <= self.to_s + NEAR_BLIND_S


@dataclass(frozen=True)
class Circumstances:
    """What of a case the score depends on."""

    tempo_s: float  # the slower phase
    slow_cell: bool = False  # 80 Hz
    load_known_s: float = 0.0  # until then nothing is required that needs the load
    range_known_s: float = 0.0  # until then nothing is required
    misread: bool = False  # the profile names another load than the pin
    misread_required: bool = False  # and by so much that it must be told
    blind: tuple[Blind, ...] = ()

    def tolerance_s(self, key: str) -> float:
        fast, slow, more = TOLERANCES_S[key]
        return (slow if self.tempo_s >= SLOW_TEMPO_S else fast) + (more if self.slow_cell else 0.0)

    def moment(self, true: Label, strict: list[Label], loose: list[Label]) -> tuple[float, float]:
        """Between which times its onset is sure to lie."""
        return true.t_s, true.t_s

    def sure_of(self, name: str, true: Label) -> bool:
        """Whether an attribute, such as "rep.partial", can be asked."""
        return True

    def ranks(self, true: Label) -> bool:
        """Whether it is sure which event of an act is the primary: what outranks it may not be judged else."""
        return not self.misread and true.t_s >= self.load_known_s

    def waives(self, key: str, true: Label) -> bool:
        """A true event that nobody can be asked to find."""
        around_s = _evidence_s(true)
        waiting = true.t_s < self.range_known_s or (key in NEEDS_LOAD and true.t_s < self.load_known_s)
        from_s, to_s = true.t_s - around_s, true.end_s + around_s + (END_REST_S if key == "set_end" else 0.0)
        from_s = min(from_s, float(true.own.get("stall_s", from_s)))  # a failure: from the stall that it is seen by
        return waiting or any(
            blind.touches(from_s, to_s) or (blind.lasting and key in OF_PLACE and true.end_s >= blind.from_s)
            for blind in self.blind
        )

    def excuses(self, key: str, found: Told, loose: list[Label]) -> bool:
        """A told event that is no invention: silence cut it and it went on, the encoder is off, the load not known."""
        if key in OF_PLACE and found.t_s < self.range_known_s:
            return True
        early = key in NEEDS_LOAD and found.t_s < self.load_known_s
        if early and any(true.t_s - NEAR_BLIND_S <= found.t_s <= true.end_s for true in loose):
            return True
        around_s = _evidence_s(found)
        for blind in self.blind:
            if blind.lasting and key in OF_PLACE and found.t_s >= blind.from_s - NEAR_BLIND_S:
                return True
            if blind.lasting and key in OF_STILLNESS and not found.primary and _during(found, blind):
                return True  # and when the encoder ran on, it was taken back
            if key == "rep" and _edge(blind, found.t_s) and any(_edge(blind, true.t_s) for true in loose):
                return True  # the dwell before it ends in the silence: nobody knows when
            dwell_s = found.own.get("dwell_s") or 0.0  # a turnaround's: what a silence has cut in two
            if dwell_s and blind.touches(found.t_s - dwell_s / 2, found.t_s + dwell_s / 2):
                return True
            near = blind.touches(found.t_s - around_s, found.t_s + around_s)
            if near and any(_lasts(true, found.t_s) for true in loose):
                return True
        return False


def _edge(blind: Blind, t_s: float) -> bool:
    return blind.touches(t_s, t_s)


def _during(found: Told, blind: Blind) -> bool:
    return blind.touches(found.t_s, found.t_s + (found.duration_s or 0.0))


def _lasts(true: Label, t_s: float) -> bool:
    """It is going on; a turnaround for as long as its dwell, the rest that ends a set until that is known."""
    around_s = _evidence_s(true)
    rest_s = END_REST_S if true.kind == "set_end" or true.duration_s is None else 0.0
    return true.t_s - around_s <= t_s <= true.end_s + rest_s + around_s


def _evidence_s(event: Label | Told) -> float:
    """It takes the whole dwell to see a turnaround, and a little more on either side to grade it."""
    return 0.5 * float(event.own["dwell_s"]) + GRADED_S if "dwell_s" in event.own else 0.0
