"""Work in a thread outlives no cancellation."""

import asyncio
import threading

import pytest

from monitor.worker_thread import finished


class Work:
    """It begins, and ends when it may."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.error: Exception | None = None

    def __call__(self) -> str:
        self.begun.set()
        self.may_end.wait()
        if self.error is not None:
            raise self.error
        return "done"


async def begun(work: Work) -> "asyncio.Task[str]":
    task = asyncio.create_task(finished(work))
    while not work.begun.is_set():  # noqa: ASYNC110 - the event is a thread's
        await asyncio.sleep(0)
    return task


async def turns(task: "asyncio.Task[str]") -> bool:
    """Whether it has ended after some turns of the loop."""
    for _ in range(10):
        await asyncio.sleep(0)
    return task.done()


def test_the_result_and_an_exception_are_those_of_the_work() -> None:
    work = Work()
    work.may_end.set()
    assert asyncio.run(finished(work)) == "done"
    work.error = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(finished(work))


def test_a_cancellation_takes_effect_when_the_work_has_ended() -> None:
    async def story() -> None:
        work = Work()
        task = await begun(work)
        for _ in range(2):  # a second one does not end the wait either
            task.cancel()
            assert not await turns(task)
        work.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())


def test_work_that_fails_after_a_cancellation_is_its_cause() -> None:
    async def story() -> None:
        work = Work()
        work.error = ValueError("broken")
        task = await begun(work)
        task.cancel()
        assert not await turns(task)
        work.may_end.set()
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        assert raised.value.__cause__ is work.error

    asyncio.run(story())
