"""Asks a page which machine it belongs to."""

import http.client
import json
from urllib.parse import urlsplit

WITHIN_S = 3.0
ANOTHER = ""  # another program answers


def whose(url: str, machine: str) -> str | None:
    """A machine's id, ANOTHER, or None if nothing answers. A page that asks for a token counts as this machine's."""
    split = urlsplit(url)
    connection = http.client.HTTPConnection(split.hostname or "127.0.0.1", split.port or 80, timeout=WITHIN_S)
    try:
        connection.request("GET", "/config.json")
        response = connection.getresponse()
        body = response.read(10_000)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if response.status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return machine
    try:
        config = json.loads(body)
    except ValueError:
        return ANOTHER
    return str(config.get("machine", ANOTHER)) if isinstance(config, dict) else ANOTHER
