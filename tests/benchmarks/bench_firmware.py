"""Measures the firmware: flash, RAM, processor and link; and speed and timing of the emulated board.

.venv/bin/python -m tests.benchmarks.bench_firmware
"""

import asyncio
import subprocess
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import numpy as np

from firmware_bridge.emulated_board import emulated_board
from firmware_bridge.emulator_build import Firmware, build, missing
from firmware_bridge.formats.decoder import Decoder
from firmware_bridge.formats.messages import Force, Pos
from firmware_bridge.serial_port import read_chunks
from tests.firmware.rig import Truth, a_set, run, start

FREE_S = 30
LIVE_S = 15


def main() -> None:
    if why := missing():
        print(why)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = a_set(folder)
        _sizes(folder)
        print("\n30 s free run             bytes/s   busy  lost frames  lost samples  wrong positions   speed")
        hx711, ads1220 = build(folder), build(folder, converter="ads1220")
        for what, firmware, period_us, batch in (
            ("500 Hz, HX711 80", hx711, 2000, 5),
            ("1 kHz, HX711 80", hx711, 1000, 10),
            ("2 kHz, HX711 80", hx711, 500, 15),
            ("500 Hz, ADS1220 1000", ads1220, 2000, 5),
            ("1 kHz, ADS1220 1000", ads1220, 1000, 10),
            ("1 kHz one by one", hx711, 1000, 1),
        ):
            _free(what, firmware, folder, truth, period_us, batch)
        print("\n15 s in real time         arrival p50      p99      max of a block after its last sample")
        for what, period_us, batch in (("500 Hz in fives", 2000, 5), ("1 kHz in tens", 1000, 10)):
            asyncio.run(_live(what, hx711, folder, truth, period_us, batch))


def _sizes(folder: Path) -> None:
    for mcu in ("atmega328p", "atmega2560", "atmega1284p"):
        output = subprocess.run(
            ["avr-size", "-C", f"--mcu={mcu}", build(folder, mcu=mcu).elf], capture_output=True, text=True, check=True
        ).stdout
        flash, ram = (row.split(":")[1].strip() for row in output.splitlines() if row.startswith(("Program", "Data")))
        print(f"{mcu:12} flash {flash:28} RAM {ram}")


def _free(what: str, firmware: Firmware, folder: Path, truth: Truth, period_us: int, batch: int) -> None:
    ran = run(firmware, folder / "run", truth, {0.4: start(period_us, batch), 1.0: "mark"}, FREE_S)
    t_us, _ = ran.positions()
    print(
        f"{what:22} {len(ran.wire) / (FREE_S - 0.4):10.0f} {ran.report['busy']:6.0%} {ran.lost_frames:12}"
        f" {ran.missing(Pos) + ran.missing(Force):13} {ran.wrong_positions():10} of {len(t_us):6}"
        f" {FREE_S / ran.report['wall_s']:6.1f} x"
    )


async def _live(what: str, firmware: Firmware, folder: Path, truth: Truth, period_us: int, batch: int) -> None:
    decoder = Decoder(truth.calibration)
    ahead_s = []
    with emulated_board(firmware, truth.calibration, truth.path, link=folder / "tty") as board:
        reading = read_chunks(str(board.port), 500_000, rate_hz=1e6 / period_us, block=batch)
        async with aclosing(reading) as chunks:
            async for chunk in chunks:
                samples = decoder.feed(chunk)
                newest_s = samples.t_s[~np.isnan(samples.position_m)]
                if len(newest_s):
                    ahead_s.append(chunk.received_ns / 1e9 - float(newest_s[-1]))
                    if newest_s[-1] > LIVE_S:
                        break
    delay_ms = 1e3 * (np.array(ahead_s) - min(ahead_s))
    p50, p99 = np.percentile(delay_ms, [50, 99])
    print(
        f"{what:22} {p50:11.2f} ms {p99:5.2f} ms {delay_ms.max():5.1f} ms, over the least;"
        f" lost {decoder.counts.lost_position_samples} of {decoder.counts.position_samples}"
    )


if __name__ == "__main__":
    begun_s = time.monotonic()
    main()
    print(f"\n{time.monotonic() - begun_s:.0f} s")
