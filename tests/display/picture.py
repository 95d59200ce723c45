"""Takes the README's picture of the lifter's page: `python -m tests.display.picture [OUT.png]`."""

import sys
import tempfile
from pathlib import Path

from monitor.events import Jerk, LockoutRest
from tests.browser import Browser
from tests.display.look import look
from tests.display.stage import IDLE, DisplayStage

OUT = Path(__file__).with_name("in-a-set.png")
WIDTH, HEIGHT = 960, 540  # a TV at half its size: the text is still legible, and the file small


def take(out: Path) -> None:
    """A set in its third repetition, in the band, with the faults of the two before."""
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder)) as browser, DisplayStage() as stage:
        stage.new_session()
        stage.status()
        stage.info(load_n=804.0)
        stage.live(IDLE)
        page = browser.open(f"{stage.url}?cues=en", width=WIDTH, height=HEIGHT)
        look(page, state="idle")
        stage.live(rep=3, tension=1.02, position=0.5, pace=0.58)
        stage.event(Jerk, rep=1, cause="mid", peak_g=0.2)
        stage.event(LockoutRest, rep=2, duration_s=1.9)
        look(page, "document.querySelectorAll('#faults li').length === 2", state="set", heave="none", cue="positive")
        page.screenshot(out)
        page.evaluate("repMonitor.link.stop()")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    take(target)
    print(target)
