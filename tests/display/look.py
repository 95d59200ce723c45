"""Examines a page: which text is where, and how readable it is."""

import time
from collections.abc import Callable
from typing import Any

from tests.browser import PATIENCE_S, BrowserError, Page

LOOK = """(() => {
  const channel = (value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const luminance = ({ r, g, b }) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const ratio = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.a === 1) return color;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const seen = (element) => {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1;
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "OPTION"].includes(element.tagName) || !seen(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const { left, top, right, bottom } = range.getBoundingClientRect();
    const covered = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const cut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow !== "visible";
    texts.push({
      text: node.data.trim(), left, top, right, bottom, cut,
      size: parseFloat(getComputedStyle(element).fontSize),
      covered: Boolean(covered) && covered !== element && !element.contains(covered) && !covered.contains(element),
      contrast: ratio(parse(getComputedStyle(element).color), ground(element)),
    });
  }
  const box = (selector) => {
    const element = document.querySelector(selector);
    if (!element || !seen(element)) return null;
    const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
    return { left, top, right, bottom, width, height, middle: (top + bottom) / 2 };
  };
  const frame = document.querySelector(".frame") && getComputedStyle(document.querySelector(".frame"));
  const style = getComputedStyle(document.body);
  const paint = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const color = parse(getComputedStyle(probe).color);
    probe.remove();
    return color;
  };
  // Rows of colours: a part of the picture of bar and ladder, as it was drawn; the screen has it a little later.
  const picture = (place, { left, top, width, height }) => {
    const pen = new OffscreenCanvas(Math.round(place.width), Math.round(place.height)).getContext("2d");
    pen.drawImage(repMonitor.picture, 0, 0, pen.canvas.width, pen.canvas.height);
    const part = [left - place.left, top - place.top, width, height].map(Math.round);
    const { data } = pen.getImageData(...part);
    return Array.from({ length: part[3] }, (_, y) =>
      Array.from({ length: part[2] }, (_, x) => data.slice(4 * (y * part[2] + x)).slice(0, 3).join()));
  };
  // Whether the filled part of the bar varies along its rows, and down its columns.
  const woven = () => {
    const [place, bar] = [box("#picture"), box("#bar")];
    if (!place || !bar) return null;
    const part = picture(place, { left: bar.left + 40, top: bar.bottom - 80, width: 40, height: 40 });
    const down = part[0].map((_, column) => part.map((row) => row[column]));
    return [part, down].map((lines) => lines.some((line) => new Set(line).size > 1));
  };
  // Where the picture of bar and ladder shows a colour, in a column through the middle of an element or at its side.
  const drawn = (selector, share, name) => {
    const [place, column] = [box("#picture"), box(selector)];
    if (!place || !column) return null;
    const left = column.left + share * column.width;
    const pixels = picture(place, { left, top: place.top, width: 1, height: place.height });
    const { r, g, b } = paint(name);
    const rows = pixels.flatMap(([color], row) => (color === [r, g, b].join() ? [row] : []));
    if (!rows.length) return null;
    const [top, bottom] = [place.top + rows[0], place.top + rows.at(-1) + 1];
    return { top, bottom, middle: (top + bottom) / 2 };
  };
  return {
    data: { ...document.body.dataset },
    width: innerWidth, height: innerHeight,
    overflows: document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight,
    texts,
    word: document.querySelector("#word")?.textContent,
    label: document.querySelector("#label")?.textContent,
    icon: document.querySelector("#cue-icon")?.getAttribute("href"),
    icon_drawn: document.querySelector(document.querySelector("#cue-icon")?.getAttribute("href") ?? "none") !== null,
    bar_text: document.querySelector("#bar")?.getAttribute("aria-valuetext"),
    bar: box("#bar"), target: box(".target"), head: box(".head"), foot: box(".foot"),
    edge: drawn("#bar", 0.5, "--mark"), weave: style.getPropertyValue("--weave").trim(), woven: woven(),
    crossed: box(".bar .empty") !== null,
    ladder: box("#ladder"), tile: box("#cue"), word_box: box("#word"),
    carriage: drawn("#ladder", 0.5, "--mark"), pace: drawn(".ladder", 0.015, "--pace"),
    frame: frame && [
      frame.borderTopStyle, frame.borderTopWidth, frame.borderImageSource !== "none", frame.boxShadow !== "none",
    ],
    edge_contrast: ratio(paint("--edge"), paint("--bg")),
    mark_on_fill: ratio(paint("--mark"), paint("--fill")),
    mark_on_track: ratio(paint("--mark"), paint("--track")),
  };
})()"""

# Waits within the page, for half a second at least, and looks at what is drawn then.
LOOK_ONCE = """(async () => {
  const shown = () => %s;
  for (let looks = 50; looks > 0; looks -= 1) {
    if (shown()) {
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      if (shown()) return %s;
    }
    await new Promise((later) => setTimeout(later, 10));
  }
  return null;
})()"""


def look(page: Page, while_: str = "true", again: Callable[[], object] | None = None, /, **data: str) -> dict[str, Any]:
    """Looks at the page once it shows these values: `look(page, state="set", band="low")`.

    Condition and look are one step, because what is shown may be gone a moment later. What lasts for a moment only may
    pass between two looks: `again` makes the machine do it once more.
    """
    shown = [f"document.body.dataset.{key} === {value!r}" for key, value in data.items()]
    condition = " && ".join([f"({while_})", *shown])
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        seen = page.evaluate(LOOK_ONCE % (condition, LOOK))
        if seen is not None:
            return dict(seen)
        if again is not None:
            again()
    raise BrowserError(f"never seen: {condition}; it shows {page.evaluate('JSON.stringify(document.body.dataset)')}")


def faults(seen: dict[str, Any]) -> list[str]:
    """What a person could not read."""
    found = ["the page scrolls"] if seen["overflows"] else []
    for text in seen["texts"]:
        name = text["text"]
        if text["contrast"] < 4.5:
            found.append(f"{name!r} has a contrast of {text['contrast']:.2f}")
        if text["covered"]:
            found.append(f"{name!r} is covered")
        if text["cut"]:
            found.append(f"{name!r} is cut off")
        if (
            text["left"] < 0
            or text["right"] > seen["width"] + 1
            or text["top"] < -1
            or text["bottom"] > seen["height"] + 1
        ):
            found.append(f"{name!r} stands outside the page")
        if text["size"] < 12:
            found.append(f"{name!r} is {text['size']} px high")
    return found
