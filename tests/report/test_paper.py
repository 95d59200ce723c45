"""The report prints whole, on few pages."""

import base64
import re
from pathlib import Path

import pytest

from tests import needs
from tests.report.conftest import SharedPage
from tests.soak import long, soak

PRINTED = {"five": 2, "static": 1} | long({"faults": 2, "motor": 2}, {})  # pages at most


@soak
@needs.chromium
@pytest.mark.parametrize(("name", "most_pages"), PRINTED.items())
def test_it_prints_to_few_pages(name: str, most_pages: int, the_page: SharedPage, reports: Path) -> None:
    page = the_page.open(reports / f"{name}.html")
    page.evaluate(
        """addEventListener("beforeprint", () => {
          const { timeline } = report;
          const left_out = timeline.over.querySelectorAll(".out.mark").length;
          globalThis.printed = [timeline.isWhole, Number(timeline.svg.getAttribute("width")), left_out];
        })"""
    )
    page.evaluate("report.timeline.look(5, 10)")  # what was looked at does not matter on paper
    answer = page.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
    pdf = base64.b64decode(answer["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= most_pages
    assert page.evaluate("globalThis.printed") == [True, 700, 0]  # all of it, as wide as an A4 page
    view = page.evaluate("report.timeline.view")
    assert (view["from_s"], view["until_s"]) == pytest.approx((5, 10))  # and is looked at again afterwards
