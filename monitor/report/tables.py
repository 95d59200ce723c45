"""Makes the report's tables."""

from collections.abc import Sequence

from monitor.report.markup import Markup, element

UNKNOWN = "\N{EN DASH}"


def table(head: Sequence[str], rows: Sequence[Markup], kind: str) -> Markup:
    names = element("tr", *(element("th", name, scope="col") for name in head))
    whole = element("table", element("thead", names), element("tbody", *rows), class_=kind)
    return element("div", whole, class_="scroll")


def row(cells: Sequence[str], **attributes: str | int | None) -> Markup:
    first = element("th", cells[0], scope="row")
    return element("tr", first, *(element("td", cell) for cell in cells[1:]), **attributes)
