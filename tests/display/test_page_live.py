"""`rep-monitor demo` as a user runs it: the command, a browser, Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.browser import Browser, Page
from tests.ctrl_c import hears_ctrl_c
from tests.mqtt.brokers import free_port

pytestmark = needs.chromium
LINE = "Open (http://[^ ]+)"
WATCH = """globalThis.seen = {bar: new Set(), carriage: new Set()};
const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
function firstWhite(id) {
  const picture = document.getElementById("picture");
  const { left, width, height } = picture.getBoundingClientRect();
  const box = document.getElementById(id).getBoundingClientRect();
  Object.assign(pen.canvas, { width: 1, height });
  pen.drawImage(picture, left - box.left - box.width / 2, 0, width, height);
  const { data } = pen.getImageData(0, 0, 1, pen.canvas.height);
  return data.findIndex((value, at) => at % 4 === 0 && value === 255 && data[at + 1] === 255 && data[at + 2] === 255);
}
(function look() {
  if (document.body.dataset.state === "set") {
    seen.bar.add(firstWhite("bar"));
    seen.carriage.add(firstWhite("ladder"));
  }
  setTimeout(look, 30); // not with each frame, which would cost more than the page itself
})();"""


def the_page_lives(page: Page) -> None:
    page.evaluate(WATCH)
    page.wait("document.body.dataset.state === 'set'")
    page.wait("Number(document.getElementById('reps').textContent) >= 1")
    page.wait("seen.bar.size > 10 && seen.carriage.size > 50")


def test_the_demo_moves_the_page_until_ctrl_c(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "monitor", "demo", "--port", str(free_port()), "--tempo", "2/4"]
    with subprocess.Popen(
        words,
        env=os.environ | {"STATE_DIRECTORY": str(tmp_path / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hears_ctrl_c,
    ) as demo:
        try:
            assert demo.stdout
            url = next(match[1] for line in demo.stdout if (match := re.search(LINE, line)))
            with Browser(tmp_path) as browser:
                page = browser.open(url, width=810, height=1080)
                the_page_lives(page)
                assert page.console == []
                os.kill(browser.pid, signal.SIGKILL)  # with the page open
            demo.send_signal(signal.SIGINT)
            out, err = demo.communicate(timeout=60)
        finally:
            demo.kill()
    assert (demo.returncode, err) == (0, "")
    assert re.search(r"rep 1\b.*: ", out)
    assert "Stopped. The recordings are deleted" in out
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)  # no process of its group is left
