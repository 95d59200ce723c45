"""`python -m tests.quality --corpus life`: the life of a gym as tables; `show` draws one session."""

import time
from collections.abc import Sequence

from tests.quality.corpus import Split
from tests.quality.judge import judge
from tests.quality.life import tables
from tests.quality.life.circumstances import LIFE_KEYS
from tests.quality.life.corpus import named, performed
from tests.quality.life.runner import run, wanted
from tests.quality.reported import reported
from tests.quality.runner import detect
from tests.quality.show import drawing


def printed(split: Split, each: int, clean: int, kinds: Sequence[str], processes: int, wrong: bool) -> str:
    """The tables of a run."""
    begun_s = time.monotonic()
    results = run(wanted(split, each, clean, kinds), processes)
    minutes = sum(result.minutes for result in results)
    took_s = time.monotonic() - begun_s
    size = f"{split} seeds: {len(results)} sessions ({minutes:.0f} min); {took_s:.0f} s on {processes} processes"
    return "\n\n".join([size, tables.everything(results), *([tables.wrong(results)] if wrong else [])])


def draw(name: str) -> str:
    """One session, detected and judged, as SVG. Raises ValueError for an unknown name."""
    item = named(name)
    signals, samples = performed(item)
    judged = judge(signals, item.true_profile, whole=True, pause_s=item.session.pause_s)
    events, _ = reported(detect(samples, item.given_profile).events)
    lanes = [key for key in (*LIFE_KEYS, "sensor_fault") if key != "fault_turn"]
    title = f"{item.name} {item.tempo}, {item.sensors}, known of the machine: {item.known}"
    return drawing(title, judged, samples, events, judged.exact, lanes)
