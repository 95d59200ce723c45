"""HTML that cannot be broken out of: whatever is no markup already is escaped.

element("td", rep.name, class_="quiet")     <td class="quiet">&lt;whatever it is&gt;</td>
"""

from html import escape

VOID = {"meta", "br", "col"}


class Markup(str):
    """Text that is HTML already; only this module makes it out of other text."""

    __slots__ = ()


def element(name: str, *children: str | None, **attributes: str | int | bool | None) -> Markup:
    """`class_` is `class`, `data_id` is `data-id`; True is an attribute without a value, None and False are none."""
    told = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        told += f" {label}" if value is True else f' {label}="{escape(str(value), quote=True)}"'
    if name in VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{together(*children)}</{name}>")


def together(*children: str | None) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children if child))


def json_in_script(data: bytes) -> Markup:
    """JSON that may stand within <script>: no angle bracket, no ampersand, no line separator of JavaScript's own."""
    text = data.decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
