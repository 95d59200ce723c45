"""What a person does with a page: read, touch, type."""

from tests.browser import Page


def texts(page: Page, selector: str) -> list[str]:
    """The texts that a person sees there, one line each."""
    found = page.evaluate(
        f"""[...document.querySelectorAll({selector!r})].map((element) => {{
          const seen = element.cloneNode(true);
          seen.querySelectorAll(".unseen").forEach((hidden) => hidden.remove());
          return seen.textContent.replace(/\\s+/g, " ").trim();
        }})"""
    )
    return [str(text) for text in found]


def click(page: Page, selector: str) -> None:
    page.evaluate(f"document.querySelector({selector!r}).click()")


def type_into(page: Page, selector: str, text: str) -> None:
    page.evaluate(
        f"""(() => {{ const field = document.querySelector({selector!r}); field.value = {text!r};
        field.dispatchEvent(new Event("input", {{ bubbles: true }})); }})()"""
    )
