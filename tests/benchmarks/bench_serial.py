"""Measures the reading of a port: CPU, reads per second, and the age of the newest byte when it is passed on.

    .venv/bin/python tests/benchmarks/bench_serial.py

A process writes lines with its clock at the rate of a board: 100 blocks per second (500 Hz in blocks of 5), and 80
conversions of the cell.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from firmware_bridge.needed import Needed
from firmware_bridge.serial_port import read_chunks

SECONDS = 10
WRITER = """
import os, sys, time, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
begin = time.monotonic()
steps = sorted([k / {blocks} for k in range({blocks} * 3600)] + [k / 80 + 0.001 for k in range(80 * 3600)])
for due in steps:
    time.sleep(max(0, begin + due - time.monotonic()))
    os.write(master, b"%d;1\\n" % (time.monotonic_ns() // 1000 % 2**32))
"""


async def ages_ms(port: str, rest_s: float) -> tuple[list[float], int]:
    ages: list[float] = []
    reads = last_ns = 0
    end = time.monotonic() + SECONDS
    source = read_chunks(port, 500_000, format="lines-micros", needed=lambda: Needed(last_ns + round(rest_s * 1e9)))
    async with contextlib.aclosing(source) as chunks:
        async for chunk in chunks:
            now_us = time.monotonic_ns() // 1000
            ages += [(now_us - int(line.split(b";")[0])) / 1000 for line in chunk.data.split(b"\n")[-2:-1]]
            reads += 1
            last_ns = chunk.received_ns
            if time.monotonic() > end:
                break
    return ages, reads


def main() -> None:
    for blocks, name in ((100, "500 Hz in blocks of 5"), (200, "1 kHz in blocks of 5")):
        for rest_s in (0, 0.01, 0.02, 0.04):
            command = [sys.executable, "-c", WRITER.format(blocks=blocks)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
                assert writer.stdout
                port = writer.stdout.readline().strip()
                cpu_s = time.process_time()
                ages, reads = asyncio.run(ages_ms(port, rest_s))
                cpu_s = time.process_time() - cpu_s
                writer.kill()
            ages.sort()
            p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
            print(
                f"{name:22} rests {rest_s * 1000:2.0f} ms: {cpu_s / SECONDS * 100:5.2f} % of a core,"
                f" {reads / SECONDS:5.0f} reads/s, newest byte {p50:5.2f} ms old (p99 {p99:5.2f})"
            )


if __name__ == "__main__":
    main()
