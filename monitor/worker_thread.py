"""Does work that waits for a disk or a database in a thread, so that the event loop goes on."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

Result = TypeVar("Result")


async def finished(work: Callable[[], Result], unclaimed: Callable[[Result], object] | None = None) -> Result:
    """Does the work in a thread. A cancellation takes effect at its end, because until then it holds what it works on.

    If the work then fails, its exception is the cause of the CancelledError. `unclaimed` gets, in a thread too, a
    result that nobody receives because of a cancellation: it closes what the work has opened.
    """
    running = asyncio.get_running_loop().run_in_executor(None, work)
    cancelled = None
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if unclaimed is not None and running.exception() is None:
            await finished(partial(unclaimed, running.result()))
        raise cancelled from running.exception()
    return running.result()
