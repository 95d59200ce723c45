"""Detects from samples if a machine is in use: by movement, or by a change of force.

The reference is the position and force at rest. It follows slowly, so that a drifting cell does not count as use.
"""

from firmware_bridge.samples import Samples

MOVED_M = 0.005
SETTLED_S = 2.0  # a value that has not changed for this long becomes the new reference


class Usage:
    """Call `update` with samples in stream order."""

    def __init__(self, lift_off_n: float) -> None:
        self._lift_off_n = lift_off_n
        self._rest: list[float | None] = [None, None]
        self._since_s = [0.0, 0.0]
        self.last_used_s: float | None = None  # on the session clock

    def update(self, samples: Samples) -> bool:
        """True if these samples show use."""
        t_s = samples.t_s.tolist()  # lists are faster than arrays for so few rows
        used = self._look(0, t_s, samples.position_m.tolist(), MOVED_M)
        return self._look(1, t_s, samples.force_n.tolist(), self._lift_off_n) or used

    def _look(self, kind: int, t_s: list[float], values: list[float], change: float) -> bool:
        known = [(at_s, value) for at_s, value in zip(t_s, values, strict=True) if value == value]
        if not known:
            return False
        t_now, newest = known[-1]
        rest = self._rest[kind]
        if rest is None:
            self._rest[kind], self._since_s[kind] = newest, t_now
            return False
        used = max(abs(value - rest) for _, value in known) > change
        if used:
            self.last_used_s = t_now
        if used or t_now - self._since_s[kind] > SETTLED_S:
            self._rest[kind], self._since_s[kind] = newest, t_now
        return used
