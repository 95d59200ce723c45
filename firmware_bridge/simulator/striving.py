"""A lifter with muscles who goes on until failure: stalls and sticking come from the physics.

The lifter follows an intended path, which waits for the stack if it falls behind, pushes as hard as possible if
necessary, gives up after a while, lowers and sets down. A stack that is too heavy to be lowered falls onto its rest;
there the lifter lets go of it. Hand and limb have mass; the cable connects them to the stack.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2
from firmware_bridge.simulator.legs import LOOSE
from firmware_bridge.simulator.machine import STEP_S, Machine, MachineState
from firmware_bridge.simulator.muscle import Body, Muscle
from firmware_bridge.simulator.outside import NOTHING
from firmware_bridge.simulator.pad import REST_SINK_M
from firmware_bridge.simulator.plant import Plant
from firmware_bridge.simulator.sway import Sway, sway_blocks
from firmware_bridge.simulator.trace import Trace

LIMB = 0.12  # mass of hand and limb, as a share of the load
STIFF_PER_M, STIFF_S = 12.0, 1.4  # force in shares of the load for each metre, and each metre a second, behind the path
BEHIND_M = 0.05  # this far behind, the path waits
NO_LIMIT = 1e9
UPLOAD_S = 1.0
PROGRESS_M = 0.004
STANDS_M_S = 0.01
ON_STEEL_M, ON_RUBBER_M = 0.001, 0.003  # rubber may carry the stack as high, while the lifter still pulls a little
LONGEST_S = 1800.0  # a set that takes longer never ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Striving:
    """A set to failure, or of `most_reps` repetitions if the strength lasts."""

    positive_s: float
    negative_s: float
    muscle: Muscle = field(default_factory=Muscle)
    most_reps: int = 12
    patience_s: float = 6.0  # how long the lifter pushes without progress
    dwell_s: float = 0.35
    wobble: float = 0.03
    tremor: float = 0.004
    lead_s: float = 2.5
    tail_s: float = 7.0


class _Doing(Enum):
    REST = auto()
    UPLOAD = auto()
    UP = auto()
    TOP = auto()
    DOWN = auto()
    BOTTOM = auto()
    SET_DOWN = auto()
    OVER = auto()


def simulate_striving(machine: Machine, striving: Striving, seed: int) -> Trace:
    """Simulate one set on a machine."""
    return _Set(machine, striving, seed).trace()


class _Set:
    """The state of a set."""

    def __init__(self, machine: Machine, striving: Striving, seed: int) -> None:
        self._machine, self._striving = machine, striving
        self._plant, self._body = Plant(machine), Body(striving.muscle)
        self._sway = Sway(np.random.default_rng(seed))
        self._bottom_m, self._top_m = machine.bottom_m - machine.rest_m, machine.top_m - machine.rest_m
        self._moment = MachineState(-REST_SINK_M, 0.0, 0.0, 0.0, 0.0, 0.0)
        self._hand_m, self._hand_m_s = LOOSE * machine.stretch_m, 0.0
        self._path_m, self._path_m_s = 0.0, 0.0
        self._doing, self._since_s = _Doing.REST, 0.0
        self._reps, self._highest_m, self._highest_s = 0, 0.0, 0.0
        self._giving_up = False
        self.notes: list[tuple[float, str]] = []

    def trace(self) -> Trace:
        """Simulate the whole set."""
        rows: list[tuple[float, ...]] = []
        wobble = np.array([self._striving.wobble])
        while self._doing is not _Doing.OVER:
            if len(rows) * STEP_S >= LONGEST_S:
                still = f"{self._doing.name.lower()} goes on, {self._moment.x_m:.4f} m above the rest"
                raise RuntimeError(f"the set has not ended after {LONGEST_S:g} s: {still}")
            t_s = (len(rows) + np.arange(1000, dtype=np.float64)) * STEP_S
            pace, tremor = (column[:, 0].tolist() for column in sway_blocks([self._sway], wobble, t_s))
            for i in range(1000):
                before = self._moment
                self._step(float(t_s[i]), pace[i], tremor[i])
                rows.append((before.x_m, before.v_m_s, *self._moment[3:]))
        columns = np.array(rows).T
        return Trace.of(self._machine, columns, tuple(self.notes), np.ones(len(rows)))

    def _step(self, t_s: float, pace: float, tremor: float) -> None:
        self._decide(t_s)
        machine, x_m, v_m_s = self._machine, self._moment.x_m, self._moment.v_m_s
        wanted = self._wanted(t_s) * (1 + self._striving.tremor * (1 + 3 * self._body.tired) * tremor)
        self._follow(pace)
        place = (x_m - self._bottom_m) / machine.range_m
        force = self._body.force(wanted, place, v_m_s, STEP_S) * STANDARD_GRAVITY_M_S2
        pull = self._moment.pull_m_s2
        gravity = 0.0 if self._doing is _Doing.REST else (force - pull) / LIMB
        self._hand_m_s += (gravity - 20.0 * self._hand_m_s * (pull <= 0)) * STEP_S
        slack_m = x_m + LOOSE * machine.stretch_m
        following_m = self._hand_m + self._hand_m_s * STEP_S
        if following_m < slack_m:  # the handle does not sink below the place where the cable goes loose
            following_m, self._hand_m_s = slack_m, max(self._hand_m_s, 0.0)
        self._moment = self._plant.step(self._moment, self._hand_m, following_m, NO_LIMIT, NOTHING)
        self._hand_m = following_m

    def _wanted(self, t_s: float) -> float:
        """The force that the lifter wants, as a share of the load."""
        since_s = t_s - self._since_s
        share = self._plant.share(self._moment.x_m)
        if self._doing in (_Doing.REST, _Doing.OVER):
            return 0.0
        if self._doing is _Doing.UPLOAD:
            return 0.98 * share * min(since_s / UPLOAD_S, 1.0)
        if self._doing is _Doing.SET_DOWN and self._landed():
            return 0.0
        behind = self._path_m - self._moment.x_m
        direction = np.sign(self._path_m_s) if abs(self._path_m_s) > 0.002 else 0.0
        friction = float(direction) * self._machine.friction * share
        return share + friction + STIFF_PER_M * behind + STIFF_S * (self._path_m_s - self._moment.v_m_s)

    def _landed(self) -> bool:
        """Whether the stack lies on its rest; rubber may carry it a little higher, where it stands still."""
        stands = self._path_m < 0.0 and abs(self._moment.v_m_s) < STANDS_M_S
        return self._moment.x_m < (ON_RUBBER_M if stands else ON_STEEL_M)

    def _fell(self) -> bool:
        """Whether the path waits in vain, because the stack fell onto its rest."""
        x_m = self._moment.x_m
        return x_m < ON_RUBBER_M and self._path_m - x_m > BEHIND_M

    def _follow(self, pace: float) -> None:
        """Move the intended path towards its target; it waits for the stack."""
        striving, machine = self._striving, self._machine
        target_m, cruise_m_s = self._path_m, 0.0
        if self._doing is _Doing.UP:
            target_m, cruise_m_s = self._top_m, 1.3 * machine.range_m / striving.positive_s
        elif self._doing is _Doing.DOWN:
            target_m, cruise_m_s = self._bottom_m, 1.3 * machine.range_m / striving.negative_s
        elif self._doing is _Doing.SET_DOWN:
            target_m, cruise_m_s = -0.002, 0.05
        brisk_m_s2 = 4.0 * machine.range_m / min(striving.positive_s, striving.negative_s) ** 2
        left_m = abs(target_m - self._path_m)
        speed_m_s = min(cruise_m_s, (2 * brisk_m_s2 * left_m) ** 0.5) * float(np.sign(target_m - self._path_m))
        if abs(self._path_m - self._moment.x_m) > BEHIND_M:
            speed_m_s = 0.0
        most = brisk_m_s2 * STEP_S
        self._path_m_s += min(max(speed_m_s - self._path_m_s, -most), most)
        self._path_m += self._path_m_s * pace * STEP_S

    def _decide(self, t_s: float) -> None:
        """Decide what the lifter does next."""
        doing, x_m, since_s = self._doing, self._moment.x_m, t_s - self._since_s
        striving = self._striving
        if x_m > self._highest_m + PROGRESS_M:
            self._highest_m, self._highest_s = x_m, t_s
        near_m = 0.004
        if doing is _Doing.REST and since_s >= striving.lead_s:
            self._turn_to(_Doing.UPLOAD, t_s)
        elif doing is _Doing.UPLOAD and since_s >= UPLOAD_S:
            self._turn_to(_Doing.UP, t_s)
        elif doing is _Doing.UP and self._path_m > self._top_m - near_m and x_m > self._top_m - 3 * near_m:
            self._reps += 1
            self._turn_to(_Doing.TOP, t_s)
        elif doing is _Doing.UP and t_s - max(self._highest_s, self._since_s) > striving.patience_s:
            self._giving_up, self._path_m = True, x_m
            self._turn_to(_Doing.DOWN, t_s)
        elif doing is _Doing.TOP and since_s >= striving.dwell_s:
            self._turn_to(_Doing.DOWN, t_s)
        elif doing in (_Doing.DOWN, _Doing.SET_DOWN) and self._fell():
            self._path_m = x_m
            self._turn_to(_Doing.SET_DOWN, t_s)
        elif doing is _Doing.DOWN and self._path_m < self._bottom_m + near_m and x_m < self._bottom_m + 3 * near_m:
            enough = self._giving_up or self._reps >= striving.most_reps
            self._turn_to(_Doing.SET_DOWN if enough else _Doing.BOTTOM, t_s)
        elif doing is _Doing.BOTTOM and since_s >= striving.dwell_s:
            self._turn_to(_Doing.UP, t_s)
        elif doing is _Doing.SET_DOWN and self._landed():
            if since_s >= striving.tail_s:
                self._doing = _Doing.OVER
        elif doing is _Doing.SET_DOWN:
            self._since_s = t_s

    def _turn_to(self, doing: _Doing, t_s: float) -> None:
        self._doing, self._since_s = doing, t_s
        self._highest_m, self._highest_s = self._moment.x_m, t_s
        self.notes.append((t_s, f"{doing.name.lower()}, {self._body.tired:.2f} tired"))
