"""Conditions of a session's score besides its truth: more tolerances, and more that cannot be required."""

from dataclasses import dataclass

from tests.quality.circumstances import KEYS, NEEDS_LOAD, TOLERANCES_S, Circumstances
from tests.quality.judge import same
from tests.quality.labels import EXPLAINED, Label
from tests.quality.reported import Reported

# kind -> tolerance on t_s in s; at a slow tempo; more with an 80 Hz cell
LIFE_TOLERANCES_S = TOLERANCES_S | {
    "assist": (0.30, 0.30, 0.04),
    "load_change": (0.30, 0.30, 0.04),
    "load_step": (60.0, 120.0, 0.0),  # once a set, whenever it is certain
}
LIFE_KEYS = tuple(key for key in (*KEYS, "assist", "load_change", "load_step") if key not in ("stage", "sensor_fault"))
OF_LOAD = (*NEEDS_LOAD, "assist")
OF_CONTACT = ("stack_touch", "bottom_rest")
OF_HOLD = ("unload", "slack", "tension_out", "assist", "stall", "turnaround", "fault_turn", "failure")
OF_TURNS = ("turnaround", "fault_turn")
OF_RANGE = ("speed_over", "lockout_rest", "stall", "failure")
EVERYWHERE = ("set_start", "set_end", "rep")  # defined outside a set, too
NEAR_SET_S = 0.5


@dataclass(frozen=True)
class During:
    """A stretch of time."""

    from_s: float
    to_s: float

    def touches(self, from_s: float, to_s: float) -> bool:
        return from_s <= self.to_s and to_s >= self.from_s


@dataclass(frozen=True)
class LifeCircumstances(Circumstances):
    """The circumstances of one session."""

    sets: tuple[During, ...] = ()
    idle: tuple[During, ...] = ()  # off the rest without a repetition
    unjudged: tuple[During, ...] = ()  # the load need not be known
    begun: tuple[During, ...] = ()  # where `lift_off_n` begins a set sooner than the load does, while it is not known
    eased: tuple[During, ...] = ()  # the stack is hung up, or taken over from where it hung
    pauses: tuple[During, ...] = ()  # on the rest, without a fault
    assists: tuple[During, ...] = ()
    learning: tuple[During, ...] = ()  # the range need not be known
    short: tuple[During, ...] = ()  # only short repetitions so far: other events are right by their range
    untold: tuple[During, ...] = ()  # another load, where the one before could not be learned
    hybrid: bool = False  # an `assist` that a load_step explains later is not false

    def tolerance_s(self, key: str) -> float:
        fast, slow, more = LIFE_TOLERANCES_S[key]
        return (slow if self.tempo_s >= 8.0 else fast) + (more if self.slow_cell else 0.0)

    def moment(self, true: Label, strict: list[Label], loose: list[Label]) -> tuple[float, float]:
        """Wider, since a stack that stops gradually crosses thresholds slowly, and `lift_off_n` may show lift-off."""
        views = [true, *(view for labels in (strict, loose) if (view := same(true, labels)) is not None)]
        times_s = [view.own.get(key, view.t_s) for view in views for key in ("t_s", "from_s", "to_s")]
        return min(times_s), max(times_s)

    def ranks(self, true: Label) -> bool:
        """Not near somebody else's force, where it depends on what that force explains."""
        return super().ranks(true) and not any(one.touches(true.t_s - 0.4, true.end_s + 0.4) for one in self.assists)

    def sure_of(self, name: str, true: Label) -> bool:
        return name != "rep.partial" or not any(one.touches(true.t_s, true.t_s) for one in self.short)

    def waives(self, key: str, true: Label) -> bool:
        learns = key in OF_RANGE and any(one.touches(true.t_s, true.end_s) for one in self.learning)
        return learns or super().waives(key, true) or self._spares(key, true.t_s, true.end_s)

    def excuses(self, key: str, found: Reported, loose: list[Label]) -> bool:
        end_s = found.t_s + (found.duration_s or 0.0)
        explained = self.hybrid and key == "assist" and not found.primary
        half_s = 0.5 * float(found.own.get("dwell_s") or 0.0)  # of a turnaround: it is in a set with its whole dwell
        early = key in OF_TURNS and any(one.touches(found.t_s - half_s, found.t_s) for one in self.begun)
        return explained or early or super().excuses(key, found, loose) or self._spares(key, found.t_s, end_s)

    def _spares(self, key: str, from_s: float, to_s: float) -> bool:
        outside = not any(one.touches(from_s - NEAR_SET_S, from_s + NEAR_SET_S) for one in self.sets)
        if outside and (key not in EVERYWHERE or any(one.touches(from_s, to_s) for one in self.idle)):
            return True
        return any(
            key in kinds and any(one.touches(from_s, to_s) for one in stretches)
            for kinds, stretches in (
                (OF_LOAD, self.unjudged),
                (OF_HOLD, self.eased),
                (OF_CONTACT, self.pauses),
                (OF_RANGE, self.short),
                (("load_change",), self.untold),
            )
        )


__all__ = ["EXPLAINED", "LIFE_KEYS", "LIFE_TOLERANCES_S", "During", "LifeCircumstances"]
