"""Does work that waits for the database in a thread, so that the event loop goes on."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def finished(work: Callable[[], Result]) -> Result:
    """Does the work in a thread; a cancellation waits for its end, because the work holds the database."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
