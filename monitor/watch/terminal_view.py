"""Draws the live view on a terminal until q or Ctrl-C, or prints lines where there is no terminal."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from importlib.resources import files
from typing import Any

from monitor.events import AnyEvent
from monitor.mqtt.client.viewer import Find, Viewer
from monitor.report.live_lines import is_news
from monitor.report.live_screen import event_line, line_of, screen
from monitor.watch.keyboard import quit_key
from monitor.watch.watching import seen_of, stale_after_s

DRAWN_EVERY_S = 0.08
LINE_EVERY_S = 1.0  # without a terminal


async def view(find: Find) -> None:
    """Runs until q, Ctrl-C, or an error that a retry cannot fix."""
    from rich.console import Console

    console = Console(highlight=False)
    cues = _cues()
    if not console.is_terminal or console.is_dumb_terminal:
        viewer = Viewer(find, _print_event)
        await _first_of(viewer.run(), _print_lines(viewer, cues))
        return
    viewer, pressed = Viewer(find), asyncio.Event()
    with quit_key(pressed):
        await _first_of(viewer.run(), _draw(viewer, cues, console), pressed.wait())


async def _first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Runs all until the first one ends, cancels the others, and raises what the first one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _draw(viewer: Viewer, cues: dict[str, str], console: Any) -> None:
    from rich.live import Live

    loop = asyncio.get_running_loop()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        while True:
            viewer.news.clear()
            width, height = console.size
            plain = console.options.ascii_only
            now_s = loop.time()
            seen = seen_of(viewer, now_s)
            live.update(screen(seen, cues, width, height, ascii_only=plain), refresh=True)
            await asyncio.sleep(DRAWN_EVERY_S)
            due_s = (
                (viewer.live_at_s or now_s) + stale_after_s(viewer) if seen.state == "live" else now_s + LINE_EVERY_S
            )
            with contextlib.suppress(TimeoutError):  # no message came, which the screen must show too
                async with asyncio.timeout_at(due_s):
                    await viewer.news.wait()


async def _print_lines(viewer: Viewer, cues: dict[str, str]) -> None:
    """Prints a line once a second while data comes, and at each change of state."""
    loop = asyncio.get_running_loop()
    before = ""
    while True:
        await asyncio.sleep(LINE_EVERY_S)
        line = line_of(seen_of(viewer, loop.time()), cues)
        if line != before:
            print(line, flush=True)
        before = line


def _print_event(record: AnyEvent) -> None:
    if is_news(record) and (line := event_line(record)) is not None:
        print(line, flush=True)


def _cues() -> dict[str, str]:
    """The English cue words of the page."""
    text = (files("monitor.display") / "page" / "cues" / "en.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["cues"])
