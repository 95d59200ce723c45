"""What the self-contained pages share: the style in paper.css, and a content policy that trusts only what is inside."""

import base64
from hashlib import sha256
from importlib.resources import files

NOTHING_ELSE = "default-src 'none'; base-uri 'none'; form-action 'none'"


def paper_style(*own: str) -> str:
    """`own`: the page's own rules, which come after the common ones."""
    return "\n".join(((files("monitor.report") / "page" / "paper.css").read_text(encoding="utf-8"), *own))


def content_policy(style: str, script: str | None = None) -> str:
    """Allows this style and this script, by their digests, and nothing else."""
    policy = f"{NOTHING_ELSE}; style-src {_digest(style)}"
    return policy if script is None else f"{policy}; script-src {_digest(script)}"


def _digest(text: str) -> str:
    """The digest by which a content policy trusts a text."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
