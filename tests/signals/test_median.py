"""The live analysis has a median of its own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.signals.median import median


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40))
def test_it_is_the_median(values: list[float]) -> None:
    assert median(values) == median(np.array(values)) == np.median(values)
