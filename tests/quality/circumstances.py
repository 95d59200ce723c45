"""Conditions of a case's score besides its truth: tolerances, and what no detector can be required to find."""

from dataclasses import dataclass

from tests.quality.labels import Label
from tests.quality.reported import Reported

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
OF_LOAD = ("unload", "tension_out", "force_ceiling")  # cannot be judged without a load
OF_PLACE = {  # cannot be judged while the encoder is wrong
    *("lockout_rest", "stack_touch", "bottom_rest", "stall", "failure", "set_start", "set_end", "rep", "turnaround"),
    *("slack", "unload", "tension_out"),
}
# An encoder that fails while the stack stands gives the same readings as a rest, and within its friction a machine's
# tension is the same at rest and at a slow cruise. Until the encoder counts again, the two cannot be distinguished.
OF_STILLNESS = {"lockout_rest", "bottom_rest", "stall"}
OF_SETS = {"rep", "turnaround", "fault_turn"}  # outside a set it is not defined whether they are reported
NEAR_BLIND_S = 0.3
GRADED_S = 0.25  # from either end of its dwell
FAULT_LATE_S = 1.0  # a report this long after a fault still belongs to it
KNOWN_LATE_S = 1.0  # a repetition may be reported this long after its end
MISREAD = "misread"  # the profile names another load than the pin
NEEDS_LOAD = ("slack", "stack_touch", "bottom_rest", "unload", "tension_out", "force_ceiling")


END_REST_S = 5.0  # a set ends after a rest this long without a silence


@dataclass(frozen=True)
class Blind:
    """A stretch in which the sensors cannot be trusted; `lasting`: positions are wrong from then on."""

    name: str
    from_s: float
    to_s: float
    required: bool  # must be reported
    lasting: bool = False

    def touches(self, from_s: float, to_s: float) -> bool:
        return self.from_s - NEAR_BLIND_S <= to_s and from_s <= self.to_s + NEAR_BLIND_S


@dataclass(frozen=True)
class Circumstances:
    """The circumstances of one case."""

    tempo_s: float  # the slower phase
    slow_cell: bool = False  # 80 Hz
    load_known_s: float = 0.0  # until then nothing is required that needs the load
    range_known_s: float = 0.0  # until then nothing is required
    misread: bool = False  # the profile names another load than the pin
    misread_required: bool = False  # and so wrong that it must be reported
    blind: tuple[Blind, ...] = ()

    def tolerance_s(self, key: str) -> float:
        fast, slow, more = TOLERANCES_S[key]
        return (slow if self.tempo_s >= SLOW_TEMPO_S else fast) + (more if self.slow_cell else 0.0)

    def moment(self, true: Label, strict: list[Label], loose: list[Label]) -> tuple[float, float]:
        """The times between which its onset certainly lies, where its own keys say so.

        A turnaround may have two dwells of almost one length; a stack that creeps may stall a little later.
        """
        return (true.own["from_s"], true.own["to_s"]) if "to_s" in true.own else (true.t_s, true.t_s)

    def sure_of(self, name: str, true: Label) -> bool:
        """Whether the truth of an attribute, such as "rep.partial", is certain."""
        return True

    def ranks(self, true: Label) -> bool:
        """Whether it is certain which event of an act is the primary; without a load, higher ranks may be missing."""
        return not self.misread and true.t_s >= self.load_known_s

    def waives(self, key: str, true: Label) -> bool:
        """Whether no detector can be required to find this true event."""
        around_s = _evidence_s(true)
        waiting = true.t_s < self.range_known_s or (key in NEEDS_LOAD and true.t_s < self.load_known_s)
        from_s, to_s = true.t_s - around_s, true.end_s + around_s + (END_REST_S if key == "set_end" else 0.0)
        from_s = min(from_s, float(true.own.get("stall_s", from_s)))  # a failure: from the stall that shows it
        return waiting or any(
            blind.touches(from_s, to_s) or (blind.lasting and key in OF_PLACE and true.end_s >= blind.from_s)
            for blind in self.blind
        )

    def excuses(self, key: str, found: Reported, loose: list[Label]) -> bool:
        """Whether a reported event is not false: silence cut a true one, the encoder is wrong, or no load is known."""
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
                return True  # and it was withdrawn when the encoder counted again
            if key == "rep" and _edge(blind, found.t_s) and any(_edge(blind, true.t_s) for true in loose):
                return True  # the dwell before it ends in the silence, at an unknown time
            dwell_s = found.own.get("dwell_s") or 0.0  # of a turnaround, which a silence may have cut in two
            if dwell_s and blind.touches(found.t_s - dwell_s / 2, found.t_s + dwell_s / 2):
                return True
            near = blind.touches(found.t_s - around_s, found.t_s + around_s)
            if near and any(_lasts(true, found.t_s) for true in loose):
                return True
        return False


def _edge(blind: Blind, t_s: float) -> bool:
    return blind.touches(t_s, t_s)


def _during(found: Reported, blind: Blind) -> bool:
    return blind.touches(found.t_s, found.t_s + (found.duration_s or 0.0))


def _lasts(true: Label, t_s: float) -> bool:
    """Whether it goes on: a turnaround lasts for its dwell, the rest that ends a set until the end is known."""
    around_s = _evidence_s(true)
    rest_s = END_REST_S if true.kind == "set_end" or true.duration_s is None else 0.0
    return true.t_s - around_s <= t_s <= true.end_s + rest_s + around_s


def _evidence_s(event: Label | Reported) -> float:
    """The time on either side that shows it: a turnaround needs half its dwell, and a little more for its grade."""
    return 0.5 * float(event.own["dwell_s"]) + GRADED_S if "dwell_s" in event.own else 0.0
