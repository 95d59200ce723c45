"""For how long an acceleration will stay beyond a threshold, by its last moments."""

import math

import numpy as np
from numpy.typing import NDArray

from monitor.signals.kernels import outlook

SHOWN = 7  # moments that a forecast looks at
FORESEEN = 12  # moments: the hold of a jerk
CAUTION = 0.5  # of the expected error of an outlook
AGO = np.arange(1.0 - SHOWN, 1.0)  # steps
_POWERS = np.stack((np.ones(SHOWN), AGO, AGO * AGO / 2))
PARABOLA = np.linalg.solve(_POWERS @ _POWERS.T, _POWERS)  # least squares through these moments: value, slope, bend now
LINE = np.linalg.solve(_POWERS[:2] @ _POWERS[:2].T, _POWERS[:2])  # value and slope now


def grows(newest_m_s2: NDArray[np.float64]) -> bool:
    """Whether an acceleration, shape (SHOWN,), increases."""
    return bool(LINE[1] @ newest_m_s2 > 0)


def off_parabola(newest_m_s2: NDArray[np.float64]) -> float:
    """The root mean square of what the parabola does not follow."""
    off_m_s2 = newest_m_s2 - (PARABOLA @ newest_m_s2) @ _POWERS
    return math.sqrt(off_m_s2 @ off_m_s2 / SHOWN)


def by_parabola(newest_m_s2: NDArray[np.float64], least_m_s2: float, enough: int, *, rough: bool = False) -> int:
    """How many steps, up to `enough`, the acceleration will stay above `least_m_s2` if it keeps to its parabola.

    A `rough` acceleration that falls is not trusted to fall more slowly: it keeps to its line.
    """
    a, slope, bend = (PARABOLA @ newest_m_s2).tolist()
    if rough and bend > 0 and (line := (LINE @ newest_m_s2).tolist())[1] < 0:
        a, slope = line
    excess, bend = a - least_m_s2, min(bend, 0.0)
    if not excess > 0:
        return 0
    fall = math.sqrt(slope * slope - 2 * bend * excess) - slope
    return int(2 * excess / fall) if fall * enough > 2 * excess else enough


class Outlook:
    """How a smooth acceleration goes on by its statistics: behind a peak, a parabola would turn too sharply."""

    def __init__(self) -> None:
        self._kernels, error_m_s2 = outlook(SHOWN, FORESEEN)
        self._caution_m_s2 = CAUTION * error_m_s2

    def steps_beyond(self, newest_m_s2: NDArray[np.float64], least_m_s2: float) -> int:
        """How many of the next `FORESEEN` steps the acceleration will stay above `least_m_s2`."""
        coming_m_s2 = self._kernels @ newest_m_s2 - self._caution_m_s2
        below = (coming_m_s2 <= least_m_s2).nonzero()[0]
        return int(below[0]) if len(below) else FORESEEN
