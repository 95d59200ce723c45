"""An event loop that never waits: when it has nothing else to do, its clock skips to the next due time.

    leap(main())        like asyncio.run; in it `sleep(3600)` takes only the time of the other work in that hour

The clock stops while a thread works for the loop. Sockets of this process answer at once, so the loop sees all pending
data. paho uses the loop's clock, so its keep-alive runs in the same time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import paho.mqtt.client

BEGINNING_S = 1000.0
WORK_S = 0.05  # the longest single wait for a thread's end


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop with a simulated `time`."""

    def __init__(self) -> None:
        self.now_s = BEGINNING_S
        self.working = 0
        super().__init__(_Leaping(self))

    def time(self) -> float:
        return self.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:  # type: ignore[override]
        self.working += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as asyncio has it
        """Waits for the threads without the time limit that Python 3.12 brought: the clock would skip to it."""
        await super().shutdown_default_executor()

    def _worked(self, _: object) -> None:
        self.working -= 1


class _Leaping(selectors.DefaultSelector):
    def __init__(self, loop: LeapingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            if ready := super().select(0):
                return ready
            if self._loop.working:
                return super().select(WORK_S)
            if timeout is not None:
                self._loop.now_s += timeout
                return []
        return super().select(timeout)


def leap(main: Coroutine[Any, Any, None]) -> None:
    before = paho.mqtt.client.time_func
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        loop = runner.get_loop()
        paho.mqtt.client.time_func = loop.time
        try:
            runner.run(main)
        finally:
            paho.mqtt.client.time_func = before
