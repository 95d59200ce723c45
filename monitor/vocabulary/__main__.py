"""Writes the page's copy of the vocabulary: python -m monitor.vocabulary"""

from pathlib import Path

from monitor.vocabulary.page_copy import page_copy

PAGE_COPY = Path(__file__).parents[1] / "display" / "page" / "js" / "vocabulary.js"

if __name__ == "__main__":
    PAGE_COPY.write_text(page_copy(), encoding="utf-8")
    print(PAGE_COPY)
