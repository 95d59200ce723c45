"""The report can be read and used on every screen."""

from collections.abc import Callable
from itertools import product

import pytest

from tests import needs
from tests.browser import Page
from tests.display.look import LOOK
from tests.report.conftest import LAPTOP, PHONE, TV
from tests.soak import long, soak

LOOKS = long([*product(("light", "dark"), (PHONE, LAPTOP, TV))], [("dark", PHONE), ("light", LAPTOP), ("dark", TV)])
BEYOND = "[...document.querySelectorAll('.scroll')].map((table) => table.scrollWidth - table.clientWidth)"
OUT_OF_THEIR_CELLS = """[...document.querySelectorAll(".scroll :is(th, td):not(:empty)")].filter((cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell.querySelector("button, span") ?? cell);
  const [inner, outer] = [text, cell].map((one) => one.getBoundingClientRect());
  return text.toString() && (inner.left < outer.left - 1 || inner.right > outer.right + 1);
}).map((cell) => cell.textContent)"""


@soak
@needs.chromium
@pytest.mark.parametrize(("scheme", "size"), LOOKS)
def test_it_can_be_read_on_every_screen_by_day_and_night(page: Page, scheme: str, size: tuple[int, int]) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.resize(*size)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    seen = page.evaluate(LOOK)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert len(seen["texts"]) > 100
    for text in seen["texts"]:
        assert text["contrast"] >= 4.5, text
        assert text["size"] >= 11.9, text
    drawn = page.evaluate(
        """(() => {
          const channel = (value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
          const light = (color) => {
            const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
            return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
          };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          const ratio = (color) => (Math.max(light(color), ground) + 0.05) / (Math.min(light(color), ground) + 0.05);
          const texts = [...document.querySelectorAll("svg text")].filter((text) => !text.closest(".key"));
          const marks = [...document.querySelectorAll(".mark .sign")].map((sign) => {
            const { fill, stroke } = getComputedStyle(sign);
            return Math.max(...[fill, stroke].filter((color) => color !== "none").map(ratio));
          });
          return [Math.min(...texts.map((text) => ratio(getComputedStyle(text).fill))), Math.min(...marks)];
        })()"""
    )
    assert drawn[0] >= 4.5
    assert drawn[1] >= 3.0


@needs.chromium
@pytest.mark.parametrize("name", ["faults", "static", "sets"])
def test_no_table_is_wider_than_the_page(name: str, show: Callable[[str], Page]) -> None:
    page = show(name)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    for width in (PHONE[0], 561, 810, 900, 1000, LAPTOP[0]):
        page.resize(width, 800)
        beyond, out = page.evaluate(f"[{BEYOND}, {OUT_OF_THEIR_CELLS}]")
        assert len(beyond) >= 2
        assert (set(beyond), out) == ({0}, []), width


@needs.chromium
def test_controls_have_names_and_are_large_enough_for_a_thumb(page: Page) -> None:
    page.resize(*PHONE)
    buttons = page.evaluate(
        """[...document.querySelectorAll(".tools button")].map((button) =>
          [button.getAttribute("aria-label") ?? button.textContent, button.offsetWidth, button.offsetHeight])"""
    )
    assert len(buttons) == 5
    for name, width, height in buttons:
        assert len(name) > 2
        assert min(width, height) >= 44, name
    labels = page.evaluate(
        "[...document.querySelectorAll('.mark[data-id]')].map((mark) => mark.getAttribute('aria-label'))"
    )
    assert all(len(label) > 30 for label in labels)
