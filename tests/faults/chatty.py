"""`rep-monitor` whose detector finds something all the time, so that a test of delivery has enough to deliver.

    python -m tests.faults.chatty run --config FILE --port PORT

Only detection is replaced, and when a session begins; port, decoder, store, publisher and recorder are the real ones.
At its end it says in the log how long its event loop, on which detection runs, has stood still after its start:
`pauses_ms 3.1 12.5`, the 99.9th percentile and the longest. A processor that was with other programs is no pause of its
own.
"""

import asyncio
import io
import os
import sys
from collections.abc import AsyncGenerator

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.samples import Samples
from monitor.__main__ import main
from monitor.daemon import Daemon
from monitor.detect.pipeline import Pipeline
from monitor.events import Jerk, Update
from monitor.live import session
from monitor.live.usage import Usage

EVERY_S = 0.025  # of the session clock
LOOK_EVERY_S = 0.005
START_S = 2.0  # kernels are computed once, at the first samples


class ChattyPipeline(Pipeline):
    def __init__(self, *args: object, **named: object) -> None:
        super().__init__(*args, **named)  # type: ignore[arg-type]
        self._name = str(args[1])
        self._told = 0

    def update(self, samples: Samples) -> Update:
        feedback = super().update(samples).feedback
        events = []
        now_s = float(samples.t_s.max(initial=0.0))
        while self._told * EVERY_S < now_s:
            self._told += 1
            t_s = self._told * EVERY_S
            events.append(
                Jerk(
                    id=self._told, session=self._name, set=1, t_s=t_s, found_s=t_s, duration_s=None, rep=1,
                    phase="positive", position_m=0.1, cause="start", peak_g=0.2,
                )
            )  # fmt: skip
        return Update(list(events), feedback)


class AlwaysUsed(Usage):
    def update(self, samples: Samples) -> bool:
        if len(samples):
            self.last_used_s = float(samples.t_s.max())
        return True


def lived_s(schedstat: io.FileIO) -> float:
    """The clock, without the time that this thread has waited for a processor."""
    waited_ns = int(os.pread(schedstat.fileno(), 100, 0).split()[1])
    return asyncio.get_running_loop().time() - waited_ns / 1e9


async def watched(self: Daemon, source: AsyncGenerator[Chunk, None]) -> None:
    pauses_ms: list[float] = []

    async def watch() -> None:
        with open("/proc/thread-self/schedstat", "rb", buffering=0) as schedstat:
            await asyncio.sleep(START_S)
            last_s = lived_s(schedstat)
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                now_s = lived_s(schedstat)
                pauses_ms.append((now_s - last_s - LOOK_EVERY_S) * 1e3)
                last_s = now_s

    watching = asyncio.create_task(watch())
    try:
        await Daemon._run(self, source)
    finally:
        watching.cancel()
        print(f"pauses_ms {np.quantile(pauses_ms, 0.999):.1f} {max(pauses_ms):.1f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    session.Pipeline = ChattyPipeline  # type: ignore[attr-defined]
    session.Usage = AlwaysUsed  # type: ignore[attr-defined]
    Daemon.run = watched  # type: ignore[method-assign]
    sys.exit(main(sys.argv[1:]))
