"""HTML that outside text cannot break out of: everything that is not `Markup` is escaped.

element("td", rep.name, class_="quiet")     <td class="quiet">&lt;any text&gt;</td>
"""

from html import escape

VOID = {"meta", "br", "col"}


class Markup(str):
    """Text that is already HTML; only this module makes it from other text."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | int | bool | None) -> Markup:
    """`class_` means `class`, `data_id` means `data-id`; True is an attribute without value, None and False omit it."""
    written = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        written += f" {label}" if value is True else f' {label}="{escape(str(value), quote=True)}"'
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{together(*children)}</{name}>")


def together(*children: str | None) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children if child))


def json_in_script(data: bytes) -> Markup:
    """Makes JSON safe inside <script>: without angle brackets, ampersands and JavaScript's line separators."""
    text = data.decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)
