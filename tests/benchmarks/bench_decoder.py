"""Measures the decoder: a recording in bulk, and one read at a time as in live use.

.venv/bin/python tests/benchmarks/bench_decoder.py
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from firmware_bridge.chunk import Chunk
from firmware_bridge.formats.calibration import Calibration
from firmware_bridge.formats.decoder import Decoder
from tests.firmware_bridge.wire import Wire

CALIBRATION = Calibration(metres_per_count=1e-4, newtons_per_count=1e-3)
MINUTES = 10


def main() -> None:
    frames = Wire().stream(0, MINUTES * 60_000_000)
    chunks = [Chunk(at_us * 1000, wire) for at_us, wire in frames]
    whole = [Chunk(0, b"".join(chunk.data for chunk in chunks))]
    size = len(whole[0].data)
    for name, feeds in (
        ("in one piece", [whole]),
        ("16384 chunks a feed", [chunks[at : at + 16384] for at in range(0, len(chunks), 16384)]),
        ("256 chunks a feed", [chunks[at : at + 256] for at in range(0, len(chunks), 256)]),
        ("one frame a feed", [[chunk] for chunk in chunks]),
    ):
        best_s = float("inf")
        for _ in range(3):
            decoder = Decoder(CALIBRATION)
            begin_s = time.process_time()
            rows = sum(len(decoder.feed(*feed)) for feed in feeds)
            best_s = min(best_s, time.process_time() - begin_s)
        print(
            f"{name:22} {rows / best_s / 1e6:6.2f} million samples/s {size / best_s / 2**20:6.1f} MiB/s"
            f" {best_s / len(feeds) * 1e6:9.0f} us a feed {best_s / MINUTES / 60 * 100:7.3f} % of a core live"
        )
    noise = bytes(range(256)) * (1 << 14)
    begin_s = time.process_time()
    Decoder(CALIBRATION).feed(Chunk(0, noise))
    print(f"{'noise':22} {len(noise) / (time.process_time() - begin_s) / 2**20:33.1f} MiB/s")


if __name__ == "__main__":
    main()
