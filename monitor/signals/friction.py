"""The friction law: how far a machine's guides and pulleys move the cable's tension away from the load.

    tension / load = w' + friction * tanh(v / 4 mm/s)      w' is what the muscle carries, 1 is exactly the load

Coulomb friction turns over with the direction of movement; the tanh, as in simulations of dry friction, turns it over
smoothly within a few mm/s. Standstill is different: friction then takes any value between its limits, so every tension
within them can be the load's.
"""

import math

import numpy as np
from numpy.typing import NDArray

TURNOVER_M_S = 0.004  # friction turns over within this speed

Column = NDArray[np.float64]


def direction(v_m_s: Column) -> Column:
    """From -1 (falling) to 1 (rising): the share of the friction that acts, of any shape."""
    share: Column = np.tanh(v_m_s / TURNOVER_M_S)
    return share


def relative_tension(ratio: Column, friction: float, v_m_s: Column, v_rest_m_s: float, down: float = 1.0) -> Column:
    """w' of tensions as shares of the load, at velocities of the same shape; NaN where either is not known.

    On the way down the load is `down` times as much; at rest it may be either, or in between.
    """
    moving = ratio if down == 1.0 else np.where(v_m_s < 0, ratio / down, ratio)
    least, most = (ratio, ratio) if down == 1.0 else (ratio / max(1.0, down), ratio / min(1.0, down))
    return np.where(
        np.abs(v_m_s) >= v_rest_m_s,
        moving - friction * direction(v_m_s),
        np.minimum(np.maximum(1.0, least - friction), most + friction),
    )


def relative_tension_now(ratio: float, friction: float, v_m_s: float, v_rest_m_s: float, down: float = 1.0) -> float:
    """`relative_tension` of one moment, in plain floats: fifty times quicker than an array of one."""
    if abs(v_m_s) >= v_rest_m_s:
        return (ratio / down if v_m_s < 0 else ratio) - friction * math.tanh(v_m_s / TURNOVER_M_S)
    return min(max(1.0, ratio / max(1.0, down) - friction), ratio / min(1.0, down) + friction)
