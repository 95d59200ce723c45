"""The report has no defect that axe-core finds, light and dark."""

from collections.abc import Callable
from itertools import product

import pytest

from tests import needs
from tests.browser import Page
from tests.display.axe import violations
from tests.report.conftest import LAPTOP, PHONE, TV
from tests.soak import long, soak

pytestmark = [needs.chromium, needs.npm, soak]
ALL_LOOKS = tuple(product(("light", "dark"), (PHONE, LAPTOP, TV)))
SOME_LOOKS = {
    "faults": (),  # takes four times as long as the others
    "static": (("dark", PHONE),),
    "unplugged": (("light", TV),),
}


@pytest.mark.parametrize("name", long(SOME_LOOKS, [name for name, looks in SOME_LOOKS.items() if looks]))
def test_the_report(name: str, show: Callable[[str], Page]) -> None:
    page = show(name)
    for scheme, size in long(ALL_LOOKS, SOME_LOOKS[name]):
        page.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.resize(*size)
        assert not violations(page), (scheme, size)
