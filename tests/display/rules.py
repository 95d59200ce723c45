"""Runs the page's own functions in Chromium."""

import json
from typing import Any

import msgspec

from tests.browser import Page
from tests.display.stage import CALM

LIVE = json.dumps({"v": 1, "session": "s", **msgspec.to_builtins(CALM)})


MODEL = f"""const {{ Model }} = await import("/js/model.js");
const {{ screen }} = await import("/js/screen.js");
const LIVE = {LIVE};
const event = (kind, more) => ({{ v: 1, id: 1, seq: 1, session: "s", set: 1, kind, t_s: 1, found_s: 1, duration_s: 0,
  rep: 1, phase: "positive", position_m: 0, part_of: null, historical: false, ...more }});
const live = (more, now_ms = 1000) => {{
  const model = new Model();
  model.link({{ up: true, attempts: 0, next_ms: 0 }}, 0);
  model.heard("live/feedback", {{ ...LIVE, ...more }}, false, now_ms);
  return model;
}};
"""


def run(page: Page, body: str) -> Any:
    return page.evaluate(f"(async () => {{ {MODEL} {body} }})()")
