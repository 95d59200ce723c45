"""The report has no defect that axe-core finds, light and dark."""

from pathlib import Path

import pytest

from tests import needs
from tests.browser import Browser
from tests.display.axe import violations
from tests.report.conftest import LAPTOP, PHONE, TV, open_page

pytestmark = [needs.chromium, needs.npm]


@pytest.mark.parametrize("name", ["faults", "static", "unplugged"])
def test_the_report(name: str, browser: Browser, reports: Path) -> None:
    page = open_page(browser, reports / f"{name}.html", LAPTOP)
    for scheme in ("light", "dark"):
        page.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        for size in (PHONE, LAPTOP, TV):
            page.resize(*size)
            assert not violations(page), (scheme, size)
    page.close()
