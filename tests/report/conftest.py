"""Starts one Chromium without a network for all tests of the report."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from monitor.__main__ import main
from tests import movements
from tests.browser import Browser, Page
from tests.movements import Act, Down, Leg, Movement, Still, Trouble

RECORDINGS = Path(__file__).parents[1] / "recordings"
SLOW_S = 4.0
SPIKE_N = 8000.0
REPS = 36  # of 4 s up and 4 s down: five minutes, with every common fault in turn
REST: tuple[Act, ...] = (Down(8.0), Still(20.0))
BADLY: tuple[tuple[Act, ...], ...] = (
    (Leg(1.0, SLOW_S), Leg(0.0, SLOW_S)),
    (Leg(0.35, 0.35), Leg(1.0, SLOW_S), Leg(0.0, SLOW_S)),  # heaved
    (Leg(1.0, SLOW_S), Still(2.5), Leg(0.0, SLOW_S)),
    (Leg(1.0, SLOW_S), Leg(0.0, 0.6), Still(1.0)),  # dropped
    (Leg(1.0, SLOW_S), Leg(0.0, SLOW_S), Down(1.2)),
    (Leg(0.6, SLOW_S), Leg(0.0, SLOW_S)),
)
PHONE, LAPTOP, TV = (390, 844), (1280, 800), (1920, 1080)
AS_OPENED = """delete performance.now;
document.activeElement.blur();
for (const one of document.querySelectorAll("details[open]")) one.open = false;
scrollTo(0, 0);
report.timeline.all();
report.timeline.draw()"""


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="package")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reports of the committed recordings, of a long set, and of two sets."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("faults", "static", "unplugged", "motor"):
        assert main(["report", str(RECORDINGS / f"{name}.mcap"), "-o", str(folder / f"{name}.html")]) == 0
    table = _table(folder, "spikes", BADLY[0] * 3, spikes=7)
    assert main(["report", str(table), "-o", str(folder / "spikes.html")]) == 0
    for name, acts in (("five", BADLY * (REPS // len(BADLY))), ("sets", (*BADLY, REST, *BADLY))):
        table = _table(folder, name, [act for rep in acts for act in rep])
        assert main(["report", str(table), "-o", str(folder / f"{name}.html")]) == 0
    return folder


def _table(folder: Path, name: str, acts: Sequence[Act], spikes: int = 0) -> Path:
    """A table of these acts, with two faults of the sensors, or with so many spikes of the cell."""
    troubles = () if spikes else (Trouble("gap", 0.3, 0.4), Trouble("stuck", 0.6, 3.0))
    samples = Movement((*acts, Down(6.0)), troubles, position_hz=100.0).samples()
    forces_n = samples.force_n.copy()
    measured = np.flatnonzero(~np.isnan(forces_n))
    forces_n[measured[len(measured) // 8 :: len(measured) // 8][:spikes]] = SPIKE_N
    columns = (samples.t_s, samples.position_m, forces_n)
    rows = (",".join("" if np.isnan(value) else f"{value:.5f}" for value in row) for row in zip(*columns, strict=True))
    (folder / f"{name}.csv").write_text("\n".join(("t_s,displacement_m,force_n", *rows)))
    machine = {"id": '"leg-press"', "kind": '"stack"', "rest_m": movements.REST_M, "bottom_m": movements.BOTTOM_M}
    machine |= {"top_m": movements.TOP_M, "working_load_n": movements.LOAD_N, "friction": movements.FRICTION}
    lines = ["[machine]", *(f"{key} = {value}" for key, value in machine.items())]
    lines += ["[protocol]", f"positive_s = {SLOW_S}", f"negative_s = {SLOW_S}"]
    (folder / "machine.toml").write_text("\n".join(lines))
    return folder / f"{name}.csv"


@dataclass
class SharedPage:
    """A page without a network, on which one test after the other opens what it needs."""

    page: Page
    failures: int = 0  # of the run, when a test last opened something

    def open(self, path: Path) -> Page:
        """Loads the file, as on a laptop in daylight."""
        self.page.call("Emulation.setEmulatedMedia", media="", features=[])
        self.page.resize(*LAPTOP)
        self.page.console.clear()
        self.page.requests.clear()
        self.page.goto(path.as_uri())
        self.page.wait("globalThis.report")
        return self.page


@pytest.fixture(scope="package")
def the_page(browser: Browser) -> Iterator[SharedPage]:
    page = browser.open("about:blank", width=LAPTOP[0], height=LAPTOP[1])
    page.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    yield SharedPage(page)
    page.close()


@pytest.fixture
def show(the_page: SharedPage, reports: Path, request: pytest.FixtureRequest) -> Callable[[str], Page]:
    """show("faults"): this report as it opens; it is loaded again only if need be, and after a test that failed."""

    def show(name: str) -> Page:
        path, page, failures = reports / f"{name}.html", the_page.page, request.session.testsfailed
        if failures > the_page.failures or page.evaluate("location.href") != path.as_uri():
            the_page.open(path)
        the_page.failures = failures
        page.call("Emulation.setEmulatedMedia", media="", features=[])
        page.resize(*LAPTOP)
        page.evaluate(AS_OPENED)
        page.console.clear()
        return page

    return show


@pytest.fixture
def page(show: Callable[[str], Page]) -> Page:
    return show("faults")
