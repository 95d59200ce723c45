"""The wiring drawings are those of the board header, and so is the table in the firmware's README."""

import re
import xml.etree.ElementTree as ElementTree

from tests.firmware.wiring import BOARDS, CONVERTERS, FIRMWARE, FOLDER, HEADER, drawings, pins

ROWS = {
    "encoder A, B": ("encoder A", "encoder B"),
    "HX711 DOUT, SCK": ("READY_BIT", "CLOCK_BIT"),
    "ADS1220 DRDY, CS": ("READY_BIT", "SPI_SELECT"),
    "ADS1220 DIN, DOUT, SCLK": ("SPI_OUT", "SPI_IN", "SPI_CLOCK"),
}
README = (FIRMWARE / "README.md").read_text()


def test_the_drawings_are_in_step_with_the_header() -> None:
    """If not: python -m tests.firmware.wiring"""
    drawn = drawings()
    assert {path.name for path in FOLDER.glob("*.svg")} == drawn.keys()
    for name, text in drawn.items():
        assert (FOLDER / name).read_text() == text, name
        ElementTree.fromstring(text)
        assert f"wiring/{name}" in README


def test_another_pin_in_the_header_is_another_pin_in_the_drawing() -> None:
    header = HEADER.read_text()
    assert pins(header)["Uno, Nano"] == {
        "encoder A": "D8", "encoder B": "D9", "READY_BIT": "D2", "CLOCK_BIT": "D3", "SPI_SELECT": "D10",
        "SPI_OUT": "D11", "SPI_IN": "D12", "SPI_CLOCK": "D13",
    }  # fmt: skip
    moved = header.replace("#define CLOCK_BIT PD3 /* D3 */", "#define CLOCK_BIT PD4 /* D4 */")
    assert pins(moved)["Uno, Nano"]["CLOCK_BIT"] == "D4"


def test_the_table_of_the_readme_has_the_pins_of_the_header() -> None:
    boards = pins(HEADER.read_text()).values()
    for name, roles in ROWS.items():
        row = re.search(rf"^\| {re.escape(name)} \| (.+) \|$", README, re.MULTILINE)
        assert row, name
        assert row[1].split(" | ") == [", ".join(own[role] for role in roles) for own in boards], name


def test_a_release_has_the_program_of_every_board_and_converter() -> None:
    """`make release` in the firmware's folder, as CONTRIBUTING.md describes it."""
    loops = re.findall(r"for (?:mcu|adc) in ([\w ]+);", (FIRMWARE / "Makefile").read_text())
    boards = [mcu.strip("_").removeprefix("AVR_").lower() for mcu in BOARDS]
    assert [loop.split() for loop in loops] == [boards, list(CONVERTERS)]
    assert "make -C firmware_bridge/firmware release" in (FIRMWARE.parents[1] / "CONTRIBUTING.md").read_text()
