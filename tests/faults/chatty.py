"""`rep-monitor` with a detector that reports events all the time, for tests of delivery.

    python -m tests.faults.chatty run --config FILE --port PORT

Only detection and the beginning of a session are replaced; port, decoder, store, publisher and recorder are real. At
its end it logs the pauses of its event loop, on which detection runs: `pauses_ms 3.1 12.5`, the 99.9th percentile and
the longest. $STOP_WITHIN_S replaces the limit of a stop.
"""

import asyncio
import math
import os
import sys
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from firmware_bridge.chunk import Chunk
from firmware_bridge.samples import Samples
from monitor.__main__ import main
from monitor.analysis import analysis
from monitor.daemon import session, stop_limit
from monitor.daemon.daemon import Daemon
from monitor.daemon.usage import Usage
from monitor.detect.spine import Spine
from monitor.events import Jerk, Update

EVERY_S = 0.025  # of the session clock
LOOK_EVERY_S = 0.005
START_S = 2.0  # kernels are computed once, at the first samples
RUN = Daemon.run


class ChattySpine(Spine):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._name = str(args[1])
        self._sent = 0

    def update(self, samples: Samples) -> Update:
        feedback = super().update(samples).feedback
        events = []
        now_s = float(samples.t_s.max(initial=0.0))
        while self._sent * EVERY_S < now_s:
            self._sent += 1
            t_s = self._sent * EVERY_S
            events.append(
                Jerk(
                    id=self._sent, session=self._name, set=1, t_s=t_s, found_s=t_s, duration_s=None, rep=1,
                    phase="positive", position_m=0.1, cause="start", peak_g=0.2,
                )
            )  # fmt: skip
        return Update(list(events), feedback)


class AlwaysUsed(Usage):
    def update(self, samples: Samples) -> bool:
        if len(samples):
            self.last_used_s = float(samples.t_s.max())
        return True


async def watched(self: Daemon, source: AsyncGenerator[Chunk, None]) -> None:
    pauses_ms: list[float] = []

    async def watch() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(START_S)
        last_s = loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            pauses_ms.append((loop.time() - last_s - LOOK_EVERY_S) * 1e3)
            last_s = loop.time()

    watching = asyncio.create_task(watch())
    try:
        await RUN(self, source)
    finally:
        watching.cancel()
        pauses_ms = pauses_ms or [math.nan]  # ended before the first measurement
        print(f"pauses_ms {np.quantile(pauses_ms, 0.999):.1f} {max(pauses_ms):.1f}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    stop_limit.WITHIN_S = float(os.environ.get("STOP_WITHIN_S", stop_limit.WITHIN_S))
    analysis.Spine = ChattySpine  # type: ignore[attr-defined]
    session.Usage = AlwaysUsed  # type: ignore[attr-defined]
    Daemon.run = watched  # type: ignore[method-assign]
    sys.exit(main(sys.argv[1:]))
