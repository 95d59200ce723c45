"""The report has no defect that axe-core finds, light and dark."""

from itertools import product
from pathlib import Path

import pytest

from tests import needs
from tests.browser import Browser
from tests.display.axe import violations
from tests.report.conftest import LAPTOP, PHONE, TV, open_page
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm, soak]
ALL_LOOKS = tuple(product(("light", "dark"), (PHONE, LAPTOP, TV)))
SOME_LOOKS = {
    "faults": (("light", PHONE), ("dark", LAPTOP)),
    "static": (("dark", PHONE),),
    "unplugged": (("light", TV),),
}


@pytest.mark.parametrize("name", SOME_LOOKS)
def test_the_report(name: str, browser: Browser, reports: Path) -> None:
    page = open_page(browser, reports / f"{name}.html", LAPTOP)
    for scheme, size in long(ALL_LOOKS, SOME_LOOKS[name]):
        page.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.resize(*size)
        assert not violations(page), (scheme, size)
    page.close()
