"""No bytes from outside break anything: they are refused with a sentence, or understood.

An input that breaks something is made as small as possible and written to corpus/, tried first from then on, and
committed with the correction.
"""

import random
import time
from functools import partial
from pathlib import Path

import pytest

from tests.faults.fuzz import inputs, keep, kept, smallest
from tests.faults.fuzz_targets import TARGETS, Try
from tests.soak import SOAKING, Figure, beside_the_day, long, soak

pytestmark = soak
FUZZ_S = long(300.0, 1.0)
COUNT = long(10**9, 200)
LONGEST_S = 1.0  # of one input: longer is a hang


@beside_the_day  # it measures its own processor's time
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_and_nothing_hangs(target: str, tmp_path: Path, figure: Figure) -> None:
    began_s, longest_s, count = time.monotonic(), 0.0, 0
    corpus = kept(target)
    seeds = TARGETS[target].seeds(tmp_path)
    with TARGETS[target].begin(tmp_path) as attempt:
        for data in inputs([*corpus, *seeds], random.Random(time.time_ns() if SOAKING else 11)):
            if count >= len(corpus) and (count >= COUNT or time.monotonic() - began_s > FUZZ_S):
                break
            cpu_s = time.process_time()
            if (error := broken_by(data, attempt)) is not None:
                small = keep(target, smallest(data, partial(breaks_alike, error, attempt)))
                raise AssertionError(f"{small} breaks it: {error!r:.1000}") from error
            longest_s = max(longest_s, time.process_time() - cpu_s)
            if longest_s > LONGEST_S:
                raise AssertionError(f"{keep(target, data)} takes {longest_s:.1f} s")
            count += 1
    figure(f"fuzz: {target}", f"{count} inputs, 0 crashes, the longest took {longest_s * 1e3:.0f} ms")


def broken_by(data: bytes, attempt: Try) -> Exception | None:
    try:
        attempt(data)
    except Exception as error:
        return error
    return None


def breaks_alike(error: Exception, attempt: Try, data: bytes) -> bool:
    return type(broken_by(data, attempt)) is type(error)


def test_a_kept_input_is_tried_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.faults.fuzz.CORPUS", tmp_path)
    (tmp_path / "decoder").mkdir()
    path = keep("decoder", b"it broke")
    assert path.read_bytes() == next(inputs([*kept("decoder"), b"a seed"], random.Random(1))) == b"it broke"


def test_a_finding_is_made_small() -> None:
    assert smallest(b"head" * 500 + b"ab" + b"tail" * 500 + b"c", lambda data: b"ab" in data and b"c" in data) == b"abc"
