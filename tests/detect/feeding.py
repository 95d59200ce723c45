"""Feeds a spine with movements in every split, and compares what it reports."""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from zlib import crc32

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from firmware_bridge.samples import Samples
from monitor.detect.detector import Detector
from monitor.detect.panel import DetectorPanel
from monitor.detect.spine import Spine
from monitor.events import AnyEvent, Feedback, encode
from monitor.profile.profile import Profile
from tests.movements import PROFILES
from tests.soak import long

# A failing movement is printed so that it can be pasted; shrinking it would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
exact = settings(max_examples=long(80, 4), deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
repeated = settings(exact, derandomize=True)  # fixed examples where the last bit may differ
# Hypothesis prefers the ends of a list; a checksum chooses evenly.
any_profile = st.binary(min_size=4, max_size=4).map(lambda some: sorted(PROFILES)[crc32(some) % len(PROFILES)])
Reported = tuple[list[AnyEvent], list[Feedback]]


def part(samples: Samples, start: int, end: int | None) -> Samples:
    rows = slice(start, end)
    return Samples(samples.t_s[rows], samples.position_m[rows], samples.force_n[rows], samples.flags[rows])


def later(samples: Samples, by_s: float) -> Samples:
    return Samples(samples.t_s + by_s, samples.position_m, samples.force_n, samples.flags)


def chunked(samples: Samples, sizes: list[int]) -> Iterator[Samples]:
    """The same rows in chunks of these sizes, repeated."""
    at = 0
    for size in cycle(sizes):
        if at >= len(samples):
            return
        yield part(samples, at, at + size)
        at += size


def feed(spine: Spine, *batches: Samples, finish: bool = True) -> Reported:
    updates = [spine.update(batch) for batch in batches] + ([spine.finish()] if finish else [])
    return [event for update in updates for event in update.events], [f for update in updates for f in update.feedback]


def run(name: str | Profile, samples: Samples, finish: bool = True, feedback: bool = True) -> Reported:
    """What a fresh spine reports for the samples, in one call."""
    own = PROFILES[name] if isinstance(name, str) else name
    return feed(Spine(own, "s", feedback=feedback), samples, finish=finish)


def lines(reported: Reported) -> list[bytes]:
    """The reports as bytes, to compare them exactly."""
    return [encode(event) for event in reported[0]] + [msgspec.json.encode(feedback) for feedback in reported[1]]


def last_records(reported: Reported) -> list[Any]:
    """The last record of each event, in the order of ids."""
    return [event for _, event in sorted({event.id: event for event in reported[0]}.items())]


def wrap_detectors(spine: Spine, wrap: Callable[[Detector], Detector]) -> None:
    """Wrap each detector of a fresh spine."""
    panel = spine._panel
    before, after = (tuple(map(wrap, detectors)) for detectors in (panel.before, panel.after))
    spine._panel = DetectorPanel(before, after, panel.moment)
