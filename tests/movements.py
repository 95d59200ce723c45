"""Makes samples of movements that a lifter can make, for property tests.

    Movement(acts=[Leg(1.0, 2.0), Still(2.0), Leg(0.0, 0.4), Down(3.0)]).samples(PROFILES["stack"])

Random walks never rest, so they would not test rests. A leg is a minimum-jerk reach, a short one
a heave or a drop. Force follows from the physics, T = W (1 + a/g) + mu W tanh(v / 4 mm/s); on the rest it is 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from firmware_bridge.physics import STANDARD_GRAVITY_M_S2 as G
from firmware_bridge.samples import Flag, Samples
from monitor.profile.profile import Profile
from monitor.profile.reading import profile_from_builtins

LOAD_N, FRICTION = 600.0, 0.08
REST_M, BOTTOM_M, TOP_M = 0.25, 0.28125, 0.78125  # binary fractions, so mirroring is exact
ENCODER_M = 2.0**-13  # 0.12 mm
LEAD_S = 1.0  # on the rest, before anything
FORCE_NOISE_N = 0.5

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]


def profile(kind: str = "stack", **changes: Any) -> Profile:
    """A machine for these movements, with `changes` to the two tables; None removes a key."""
    machine: dict[str, Any] = {"id": "contract", "kind": kind, "rest_m": REST_M, "bottom_m": BOTTOM_M, "top_m": TOP_M}
    machine |= {"working_load_n": LOAD_N, "friction": FRICTION}
    protocol: dict[str, Any] = {"positive_s": 2.0, "negative_s": 2.0}
    if kind == "static":
        machine |= {"peak_n": 1000.0, "working_load_n": None, "friction": None}
        protocol = {"stages_s": (5.0, 5.0, 5.0)}
    calibration = {"metres_per_count": changes.pop("metres_per_count", ENCODER_M), "newtons_per_count": 0.01}
    cell = {"rate_hz": changes.pop("cell_hz")} if "cell_hz" in changes else {}
    for key, value in changes.items():
        (protocol if key in ("positive_s", "negative_s", "starts_with", "band", "pause_s") else machine)[key] = value
    machine = {key: value for key, value in machine.items() if value is not None}
    detect = {"detect": {"cell": cell}} if cell else {}
    return profile_from_builtins({"machine": machine, "protocol": protocol, "calibration": calibration, **detect})


PROFILES = {
    "stack": profile(),
    "fast": profile(cell_hz=500.0),
    "learned": profile(working_load_n=None, friction=None),
    "plates": profile(working_load_n=None, friction=None, plates_kg=(5.0,) * 40),
    "misread": profile(working_load_n=1.15 * LOAD_N, force_ceiling_n=900.0),
    "superslow": profile(positive_s=10.0, negative_s=10.0, metres_per_count=4 * ENCODER_M),
    "unranged": profile(bottom_m=None, top_m=None, working_load_n=None, friction=None),
    "squat": profile(starts_with="negative"),
    "barbell": profile("motor", starts_with="negative", friction=0.0),
    "motor": profile("motor", working_load_n=None, friction=None),
    "static": profile("static"),
    "untested": profile("static", peak_n=None),
}


@dataclass(frozen=True)
class Leg:
    """A movement to a share of the range; a very short one is a heave or a drop."""

    to: float
    duration_s: float


@dataclass(frozen=True)
class Still:
    """A rest at the current place."""

    duration_s: float


@dataclass(frozen=True)
class Down:
    """The stack is set down on its rest in some seconds, and stays there."""

    duration_s: float
    way_s: float = 0.4


@dataclass(frozen=True)
class Tug:
    """The lifter changes the force without moving the stack."""

    factor: float
    duration_s: float


@dataclass(frozen=True)
class Helped:
    """A movement with help or resistance from another person: the tension is multiplied."""

    to: float
    duration_s: float
    factor: float


@dataclass(frozen=True)
class Pin:
    """The pin is moved: from here on the load is a multiple of that in `samples`."""

    factor: float


Act = Leg | Still | Down | Tug | Helped | Pin


@dataclass(frozen=True)
class Trouble:
    """A sensor fault, from a share of the movement's time on."""

    kind: str  # "gap", "position gap", "force gap", "stuck", "frozen", "jump", or a name of Flag
    at: float
    duration_s: float


@dataclass(frozen=True)
class Movement:
    """`acts` after a second on the rest, and their measurement."""

    acts: tuple[Act, ...]
    troubles: tuple[Trouble, ...] = ()
    position_hz: float = 250.0
    force_hz: float = 82.0  # its period does not divide the 50 ms of a gap
    seed: int = 0
    mirrored: bool = False
    down: float = 1.0  # times the load on the way down

    def samples(
        self, load_n: float = LOAD_N, friction: float = FRICTION, curve: Curve | None = None, mass: float = 1.0
    ) -> Samples:
        """The samples, in time order. `curve`: shares of the load at shares of the range; `mass`: a share of load/g."""
        path, end_s = self._path()
        rng = np.random.default_rng(self.seed)
        t_x = np.arange(0.0, end_s, 1 / self.position_hz)
        t_f = np.arange(0.0007, end_s, 1 / self.force_hz)
        x = np.round(_along(path, t_x)[0] / ENCODER_M) * ENCODER_M
        at_m, v, a, factor = _along(path, t_f)
        share = 1.0 if curve is None else curve((at_m - BOTTOM_M) / (TOP_M - BOTTOM_M))
        share = share * np.where(v < 0, self.down, 1.0)
        force = factor * load_n * np.maximum(share * (1 + friction * np.tanh(v / 0.004)) + mass * a / G, 0.0)
        force[(at_m < REST_M + 0.0005) & (v < 0.002)] = 0.0
        force += rng.normal(0.0, FORCE_NOISE_N * load_n / LOAD_N, len(force))
        if self.mirrored:
            x = BOTTOM_M + TOP_M - x
        t_s = np.concatenate((t_x, t_f))
        position = np.concatenate((x, np.full(len(t_f), np.nan)))
        force = np.concatenate((np.full(len(t_x), np.nan), force))
        order = np.argsort(t_s, kind="stable")
        rows = Samples(t_s[order], position[order], force[order], np.zeros(len(t_s), np.uint8))
        for trouble in self.troubles:
            rows = _troubled(rows, trouble, end_s)
        return rows

    def _path(self) -> tuple[list[tuple[float, float, float, float, float]], float]:
        """Pieces (from when, how long, from where, to where, times the force), and when they end."""
        pieces = [(0.0, LEAD_S, REST_M, REST_M, 1.0)]
        now_s, here_m, pin = LEAD_S, REST_M, 1.0

        def go(duration_s: float, to_m: float, factor: float = 1.0) -> None:
            nonlocal now_s, here_m
            pieces.append((now_s, duration_s, here_m, to_m, factor * pin))
            now_s, here_m = now_s + duration_s, to_m

        for act in self.acts:
            match act:
                case Leg(to, duration_s):
                    go(duration_s, BOTTOM_M + to * (TOP_M - BOTTOM_M))
                case Down(duration_s, way_s):
                    go(way_s, REST_M)
                    go(duration_s, REST_M)
                case Helped(to, duration_s, factor):
                    go(duration_s, BOTTOM_M + to * (TOP_M - BOTTOM_M), factor)
                case Tug(factor, duration_s):
                    go(duration_s, here_m, factor)
                case Still(duration_s):
                    go(duration_s, here_m)
                case Pin(factor):
                    pin = factor
        return pieces, now_s


def _along(path: list[tuple[float, float, float, float, float]], t_s: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Position, velocity, acceleration and the factor of the force, each leg with minimum jerk."""
    begin_s, duration_s, from_m, to_m, factor = np.array(path).T
    piece = np.searchsorted(begin_s, t_s, side="right") - 1
    T, way = duration_s[piece], (to_m - from_m)[piece]
    u = np.clip((t_s - begin_s[piece]) / T, 0.0, 1.0)
    x = from_m[piece] + way * u**3 * (10 - 15 * u + 6 * u * u)
    v = way / T * 30 * u * u * (1 - u) ** 2
    a = way / T**2 * 60 * u * (1 - u) * (1 - 2 * u)
    return x, v, a, factor[piece]


def _troubled(rows: Samples, trouble: Trouble, end_s: float) -> Samples:
    at_s = LEAD_S + trouble.at * (end_s - LEAD_S)
    during = (rows.t_s >= at_s) & (rows.t_s < at_s + trouble.duration_s)
    has_x, has_f = ~np.isnan(rows.position_m), ~np.isnan(rows.force_n)
    position, force, flags = rows.position_m.copy(), rows.force_n.copy(), rows.flags.copy()
    gone = np.zeros(len(rows), np.bool_)
    match trouble.kind:
        case "gap":
            gone = during
        case "position gap":
            gone = during & has_x
        case "force gap":
            gone = during & has_f
        case "jump":
            position[rows.t_s >= at_s] += 0.03
        case "frozen" if (frozen := during & has_x).any():
            held = position[frozen]
            position[frozen] = held[0]
            position[rows.t_s >= at_s + trouble.duration_s] -= held[-1] - held[0]
        case "stuck" if (stuck := during & has_f).any():
            force[stuck] = force[stuck][0]
        case "RESTART" | "SLIPPED":
            for kind in (has_x, has_f)[: 1 if trouble.kind == "SLIPPED" else 2]:
                flags[np.flatnonzero(kind & (rows.t_s >= at_s))[:1]] |= np.uint8(Flag[trouble.kind])
        case name if name in Flag.__members__:
            flags[during & has_f] |= np.uint8(Flag[name])
            force[during & has_f & (name == "TIMEOUT")] = np.nan
    return Samples(rows.t_s[~gone], position[~gone], force[~gone], flags[~gone])


@st.composite
def movements(draw: st.DrawFn, troubles: int = 2, floor: bool = True) -> Movement:
    """Sets with and without faults; `floor`: the stack may be set down."""
    leg = st.builds(Leg, st.sampled_from([0.0, 0.0, 0.05, 0.55, 1.0, 1.0, 1.02]), st.sampled_from([0.3, 0.8, 2.0, 4.0]))
    rep = st.tuples(
        st.builds(Leg, st.sampled_from([0.6, 0.95, 1.0]), st.sampled_from([1.0, 1.8, 2.5])),
        st.builds(Still, st.sampled_from([0.2, 0.5, 1.6, 3.0])),
        st.builds(Leg, st.sampled_from([0.0, 0.01]), st.sampled_from([0.5, 2.0, 3.0])),
        st.builds(Still, st.sampled_from([0.1, 0.4])),
    )
    heave = st.sampled_from([(Leg(0.3, 1.0), Leg(0.7, 0.5)), (Leg(0.35, 0.35),)])
    failed = st.just((Leg(1.0, 1.8), Still(0.4), Leg(0.0, 2.0), Still(0.4), Leg(0.55, 1.5), Still(2.4), Leg(0.1, 1.0)))
    still = st.builds(Still, st.sampled_from([0.3, 1.0, 2.5, 6.0]))
    tug = st.builds(Tug, st.sampled_from([0.0, 0.5, 0.8, 1.2, 1.6]), st.sampled_from([0.05, 0.3, 1.0]))
    down = st.builds(Down, st.sampled_from([0.1, 1.0, 6.0]), st.sampled_from([0.1, 0.5]))
    helped = st.tuples(
        st.builds(Helped, st.just(1.0), st.just(2.0), st.sampled_from([0.0, 0.7] if floor else [0.7])),
        st.builds(Still, st.sampled_from([0.2, 1.0])),
        st.builds(Helped, st.just(0.0), st.just(2.0), st.sampled_from([1.0, 1.25])),
    )
    pinned = st.sampled_from([(Down(1.5), Pin(0.6), Leg(1.0, 1.8), Leg(0.0, 2.0)), (Down(1.5), Pin(1.0))])
    parts: list[Any] = [
        rep,
        rep,
        heave,
        heave,
        failed,
        helped,
        *[pinned] * floor,
        *(st.tuples(act) for act in (leg, still, tug, *[down] * floor)),
    ]
    acts: list[Act] = [act for part in draw(st.lists(st.one_of(parts), min_size=2, max_size=9)) for act in part]
    ends: list[Act] = [Down(6.0), Still(1.0), Leg(0.55, 1.0)] if floor else [Still(1.0)]
    holes, odd = ("gap", "position gap", "force gap"), ("stuck", "frozen", "jump")
    kinds = (*holes, *odd, "SATURATED", "TIMEOUT", "RESTART", "SLIPPED")
    trouble = st.builds(Trouble, st.sampled_from(kinds), st.floats(0.02, 0.98), st.sampled_from([0.03, 0.2, 1.0, 4.0]))
    return Movement(
        acts=(*acts, draw(st.sampled_from(ends))),
        troubles=tuple(draw(st.lists(trouble, max_size=troubles))),
        position_hz=draw(st.sampled_from([100.0, 250.0, 500.0])),
        force_hz=draw(st.sampled_from([82.0, 250.0])),
        seed=draw(st.integers(0, 3)),
        down=draw(st.sampled_from([1.0, 1.0, 1.0, 1.4] if floor else [1.0])),
    )
