"""Measures when the pages paint on a slow tablet: `python -m tests.benchmarks.bench_paint [ROUNDS]`.

Chromium slows its CPU down four times and starts with an empty cache. First: the first text or picture. Largest: the
largest text, when the page shows the machine's state. Milliseconds, the median and the range of the rounds; other work
on the machine makes them larger.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.browser import Browser
from tests.display.stage import DisplayStage

SLOWER = 4
SHOWN = {"lifter": ("", "document.body.dataset.state === 'set'"), "trainer": ("trainer.html", "repMonitor.stats.shown")}
PAINTS = """new Promise((done) => {
  const found = { first: performance.getEntriesByName("first-contentful-paint")[0].startTime };
  new PerformanceObserver((list) => {
    found.largest = list.getEntries().at(-1).startTime;
    done(found);
  }).observe({ type: "largest-contentful-paint", buffered: true });
})"""


def measure(rounds: int) -> dict[str, dict[str, list[float]]]:
    """For each page the times of each kind of paint, in milliseconds."""
    found: dict[str, dict[str, list[float]]] = {name: {"first": [], "largest": []} for name in SHOWN}
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder)) as browser, DisplayStage(rate_hz=25.0) as stage:
        stage.new_session()
        stage.status()
        stage.info()
        stage.live()
        for _ in range(rounds):
            for name, (path, shown) in SHOWN.items():
                page = browser.open("about:blank", width=810, height=1080, worker=True)
                page.call("Emulation.setCPUThrottlingRate", rate=SLOWER)
                page.goto(stage.url + path)
                page.wait(f"globalThis.repMonitor && {shown}")
                for kind, time_ms in page.evaluate(PAINTS).items():
                    found[name][kind].append(time_ms)
                page.evaluate("repMonitor.link.stop()")
                page.close()
    return found


if __name__ == "__main__":
    for name, kinds in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 7).items():
        for kind, times_ms in kinds.items():
            middle, least, most = statistics.median(times_ms), min(times_ms), max(times_ms)
            print(f"{name:<8} {kind:<8} {middle:6.0f} ms   {least:6.0f} to {most:6.0f}")
