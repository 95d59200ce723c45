"""For how long an acceleration stays above a threshold if it keeps to the parabola of its last moments."""

import math

import numpy as np
from numpy.typing import NDArray

SHOWN = 7  # moments that the parabola follows
AGO = np.arange(1.0 - SHOWN, 1.0)  # steps
_POWERS = np.stack((np.ones(SHOWN), AGO, AGO * AGO / 2))
PARABOLA = np.linalg.solve(_POWERS @ _POWERS.T, _POWERS)  # least squares through these moments: value, slope, bend now
LINE = np.linalg.solve(_POWERS[:2] @ _POWERS[:2].T, _POWERS[:2])  # value and slope now


def slope(newest_m_s2: NDArray[np.float64]) -> float:
    """By how much an acceleration, shape (SHOWN,), grows in a step."""
    return float(LINE[1] @ newest_m_s2)


def off_parabola(newest_m_s2: NDArray[np.float64]) -> float:
    """The root mean square of what the parabola does not follow."""
    off_m_s2 = newest_m_s2 - (PARABOLA @ newest_m_s2) @ _POWERS
    return math.sqrt(off_m_s2 @ off_m_s2 / SHOWN)


def steps_beyond(newest_m_s2: NDArray[np.float64], least_m_s2: float, enough: int) -> int:
    """How many steps, up to `enough`, the acceleration will stay above `least_m_s2`.

    One that falls is not trusted to fall more slowly: it keeps to its line.
    """
    a, growth, bend = (PARABOLA @ newest_m_s2).tolist()
    if bend > 0 and (line := (LINE @ newest_m_s2).tolist())[1] < 0:
        a, growth = line
    excess, bend = a - least_m_s2, min(bend, 0.0)
    if not excess > 0:
        return 0
    fall = math.sqrt(growth * growth - 2 * bend * excess) - growth
    return int(2 * excess / fall) if fall * enough > 2 * excess else enough
