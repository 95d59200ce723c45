"""Measures rate, latency and cost of the page: broker -> WebSocket -> headless Chromium -> frame.

.venv/bin/python -m tests.benchmarks.bench_display [SECONDS]

Headless Chromium composes in software; on a tablet or a TV the graphics chip does the work of gpu-process. So two more
pages are measured in the same browser: one that requests every frame and draws nothing, and one that moves a box of 60
by 20 pixels 25 times a second. They show the cost of frames as such.
"""

import math
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.browser import Browser, Page
from tests.display.stage import IDLE, DisplayStage

SECONDS = 20.0
RATE_HZ = 25.0
TICKS_S = os.sysconf("SC_CLK_TCK")
PAGES = {"display, tablet": ("", 810, 1080), "display, TV": ("", 1920, 1080), "trainer": ("trainer.html", 1440, 900)}
FOLLOW = """globalThis.shown = [];
Object.defineProperty(repMonitor.stats, "shown", {
  set: (feedback) => shown.push([feedback.t_s, (performance.timeOrigin + performance.now()) / 1000]),
})"""
FLOORS = {
    "no drawing": "(function ask() { requestAnimationFrame(ask); })()",
    "a small box": """document.body.innerHTML =
      '<i id="box" style="position: fixed; width: 60px; height: 20px; background: #07c; will-change: transform">';
      let at = 0;
      setInterval(() => requestAnimationFrame(() => (box.style.transform = `translateY(${at++ % 99}px)`)), 40)""",
}
SETTLE_S = 3.0  # a new page still loads


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as home:
        for name, (path, width, height) in PAGES.items():
            with DisplayStage(rate_hz=RATE_HZ) as stage, Browser(Path(home) / name, (width, height)) as browser:
                stage.status()
                stage.info()
                stage.live()
                page = browser.open(stage.url + path, width=width, height=height, worker=True)
                page.wait("globalThis.repMonitor && document.body.dataset.state === 'set'")
                page.call("Network.disable")  # otherwise the browser reports each message to us, too
                report(name, stage, browser, page, seconds)
        for name, script in FLOORS.items():
            with Browser(Path(home) / name, (810, 1080)) as browser:
                browser.open("data:text/html,<body>", width=810, height=1080).evaluate(f"{{ {script} }}")
                time.sleep(SETTLE_S)
                before = cpu_s(browser.pid)
                time.sleep(seconds)
                print(f"{name:16} {costs(before, cpu_s(browser.pid), seconds)}", flush=True)


def report(name: str, stage: DisplayStage, browser: Browser, page: Page, seconds: float) -> None:
    play(stage, SETTLE_S)
    heap_mb = heap(page)
    before, first = cpu_s(browser.pid), page.evaluate("[repMonitor.stats.frames, repMonitor.stats.draw_ms]")
    begin_s = time.monotonic()
    play(stage, seconds)
    lasted_s = time.monotonic() - begin_s
    spent, last = (
        costs(before, cpu_s(browser.pid), lasted_s),
        page.evaluate("[repMonitor.stats.frames, repMonitor.stats.draw_ms]"),
    )
    frames, draw_ms = last[0] - first[0], last[1] - first[1]
    grown_mb = heap(page) - heap_mb
    page.evaluate(FOLLOW)
    play(stage, seconds)
    stage.live(IDLE)
    time.sleep(SETTLE_S)
    before, begin_s = cpu_s(browser.pid), time.monotonic()
    time.sleep(seconds)
    idle = costs(before, cpu_s(browser.pid), time.monotonic() - begin_s)
    sent = dict(stage.sent)
    late_ms = sorted(1000 * (shown_s - sent[t_s]) for t_s, shown_s in page.evaluate("shown") if t_s in sent)
    p50, p95 = (late_ms[int(share * len(late_ms))] for share in (0.5, 0.95))
    print(
        f"{name:16} {frames / lasted_s:4.1f} frames/s, {draw_ms / frames:.2f} ms of script a frame,"
        f" published to drawn p50 {p50:.0f} p95 {p95:.0f} ms, heap {heap_mb:.1f} MB {grown_mb:+.1f}\n"
        f"{'':16} {spent}\n{'':10} idle: {idle}",
        flush=True,
    )


def play(stage: DisplayStage, seconds: float) -> None:
    """Changes everything that can change, with bands and phases as in a set."""
    begin_s = time.monotonic()
    while (now_s := time.monotonic() - begin_s) < seconds:
        tension = 1 + 0.16 * math.sin(1.3 * now_s)
        stage.change(
            tension=tension,
            band="low" if tension < 0.9 else "high" if tension > 1.1 else "in",
            position=0.5 - 0.5 * math.cos(now_s),
            pace=0.5 - 0.5 * math.cos(now_s - 0.2),
            phase="positive" if math.sin(now_s) > 0 else "negative",
            under_load_s=now_s,
            under_tension_s=0.8 * now_s,
        )
        time.sleep(0.02)


def heap(page: Page) -> float:
    page.call("HeapProfiler.collectGarbage")
    return float(page.call("Runtime.getHeapUsage")["usedSize"]) / 1e6


def cpu_s(pid: int) -> dict[str, float]:
    """CPU seconds of the browser and all processes that its threads have started, by their type."""
    spent: dict[str, float] = {}
    for process in family(pid):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            line = Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            continue  # the process has just ended
        kind = re.search(r"--type=([a-z-]+)", line)
        name = kind[1] if kind else "browser"
        spent[name] = spent.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS_S
    return spent


def family(pid: int) -> list[int]:
    children = [child for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return [pid, *(member for child in children for member in family(int(child)))]


def costs(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    percent = {kind: 100 * (spent_s - before.get(kind, 0.0)) / seconds for kind, spent_s in after.items()}
    parts = ", ".join(f"{kind} {value:.1f}" for kind, value in sorted(percent.items()) if value >= 0.1)
    return f"{sum(percent.values()):.1f} % of a core ({parts}), load of this computer {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
