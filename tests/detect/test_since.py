"""A condition holds since it began, and is looked at on its own beat."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.since import is_look, next_look, since_when


@given(st.lists(st.booleans(), min_size=1))
def test_a_condition_holds_since_the_first_moment_after_it_did_not(held: list[bool]) -> None:
    since = None
    for now, holds in enumerate(held):
        since = since_when(since, holds, now)
    lasted = len(held) - 1 - max((i for i, holds in enumerate(held) if not holds), default=-1)
    assert since == (len(held) - lasted if lasted else None)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 20))
def test_the_next_look_is_the_first_of_the_looks_that_follow(now: int, first: int, every: int) -> None:
    looks = range(first, 200, every)
    assert next_look(now, first, every) == next(look for look in looks if look > now)
    assert is_look(now, first, every) == (now in looks)
