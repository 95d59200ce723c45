"""Draws the wiring of each board from the firmware's hal/avr/board.h: `python -m tests.firmware.wiring`.

The SVG files are in firmware_bridge/firmware/wiring; a test fails where they are not in step with the header.
"""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import NamedTuple

FIRMWARE = Path(__file__).parents[2] / "firmware_bridge" / "firmware"
HEADER = FIRMWARE / "hal" / "avr" / "board.h"
FOLDER = FIRMWARE / "wiring"
BOARDS = {"__AVR_ATmega328P__": "Uno, Nano", "__AVR_ATmega2560__": "Mega", "__AVR_ATmega1284P__": "ATmega1284P"}
CONVERTERS = ("hx711", "ads1220")
SUPPLY, GROUND = "#c1121f", "#111111"
STEP, TOP = 34, 96  # pixels between two wires, and above the first
INK = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9")  # of signals, in the order of the pins


class Wire(NamedTuple):
    """One wire: the name at its left end and at its right end."""

    left: str
    right: str
    colour: str


def pins(header: str) -> dict[str, dict[str, str]]:
    """The pins of each board by their role: `D8` where the header names the board's own, else `PB0`."""
    found = {}
    for mcu, name in BOARDS.items():
        section = re.search(rf"^#(?:el)?if defined\({mcu}\)(.*?)(?=^#el)", header, re.DOTALL | re.MULTILINE)
        assert section, f"{HEADER}: no section for {mcu}"
        lines = re.findall(r"^#define (\w+) (\w+)(?:\s*/\* (.*?) \*/)?$", section[1], re.MULTILINE)
        values = {macro: (value, note) for macro, value, note in lines}
        port, shift = values["ENCODER_PORT"][0][-1], int(values["ENCODER_SHIFT"][0])
        named = dict(re.findall(r"([AB]) = (D\d+)", values["ENCODER_PORT"][1]))
        found[name] = {f"encoder {line}": named.get(line, f"P{port}{shift + at}") for at, line in enumerate("AB")}
        for role in ("READY_BIT", "CLOCK_BIT", "SPI_SELECT", "SPI_OUT", "SPI_IN", "SPI_CLOCK"):
            found[name][role] = values[role][1] or values[role][0]
    return found


def drawing(board: str, own: dict[str, str], converter: str) -> str:
    """One SVG: encoder and cell on the left, the converter in the middle, the board on the right."""
    encoder = [
        Wire("A (white)", own["encoder A"], INK[0]),
        Wire("B (green)", own["encoder B"], INK[1]),
        Wire("+5 V", "5V", SUPPLY),
        Wire("0 V", "GND", GROUND),
    ]
    signals = {
        "hx711": (("DT (DOUT)", "READY_BIT"), ("SCK", "CLOCK_BIT")),
        "ads1220": (
            ("DRDY", "READY_BIT"),
            ("CS", "SPI_SELECT"),
            ("DIN", "SPI_OUT"),
            ("DOUT", "SPI_IN"),
            ("SCLK", "SPI_CLOCK"),
        ),
    }[converter]
    supply = ("VCC", "GND") if converter == "hx711" else ("AVDD, DVDD", "AVSS, DGND")
    digital = [Wire(name, own[role], INK[at]) for at, (name, role) in enumerate(signals)]
    digital += [Wire(supply[0], "5V", SUPPLY), Wire(supply[1], "GND", GROUND)]
    bridge = ("E+", "E-", "A+", "A-") if converter == "hx711" else ("REFP0, AVDD", "REFN0, AVSS", "AIN0", "AIN1")
    cell = [
        Wire("red, E+", bridge[0], SUPPLY),
        Wire("black, shield, E-", bridge[1], GROUND),
        Wire("green, A+", bridge[2], "#009e73"),
        Wire("white, A-", bridge[3], "#9a9a9a"),
    ]
    lower = TOP + STEP * (len(encoder) + 2)
    height = lower + STEP * len(digital) + 20
    title = f"{board} with {converter.upper()}"
    parts = [
        f"<title>Wiring: {escape(title)}</title>",
        f'<rect width="900" height="{height}" fill="#ffffff"/>',
        f'<text x="24" y="40" font-size="24" font-weight="700">{escape(title)}</text>',
        *_box(40, TOP - 34, 190, len(encoder), "Draw-wire encoder"),
        *_box(40, lower - 34, 190, len(cell), "Load cell"),
        *_box(370, lower - 34, 190, len(digital), f"{converter.upper()} board"),
        *_box(690, TOP - 34, 180, (height - TOP - 20) // STEP, board),
        *_wires(encoder, 230, 690, TOP),
        *_wires(cell, 230, 370, lower),
        *_wires(digital, 560, 690, lower),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="15" fill="#111111">\n{body}\n</svg>\n'
    )


def _box(x: int, y: int, width: int, rows: int, name: str) -> Iterable[str]:
    yield f'<rect x="{x}" y="{y}" width="{width}" height="{STEP * rows + 34}" rx="10" fill="#f3f6f8" stroke="#5f6f7d"/>'
    yield f'<text x="{x + width // 2}" y="{y + 22}" text-anchor="middle" font-weight="700">{escape(name)}</text>'


def _wires(wires: Iterable[Wire], left: int, right: int, top: int) -> Iterable[str]:
    for at, wire in enumerate(wires):
        y = top + STEP * at + 14
        yield f'<path d="M{left} {y}H{right}" stroke="{wire.colour}" stroke-width="4"/>'
        for x, anchor, name in ((left - 10, "end", wire.left), (right + 10, "start", wire.right)):
            yield f'<text x="{x}" y="{y + 5}" text-anchor="{anchor}">{escape(name)}</text>'


def drawings() -> dict[str, str]:
    """All files by name."""
    return {
        f"{board.split(',')[0].lower()}-{converter}.svg": drawing(board, own, converter)
        for board, own in pins(HEADER.read_text()).items()
        for converter in CONVERTERS
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in drawings().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
