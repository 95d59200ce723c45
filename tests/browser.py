"""Drives Debian's Chromium without a window, over its DevTools protocol; it costs less than the whole one.

with Browser(tmp_path) as browser:
    page = browser.open(url, width=390, height=844)
    page.wait("document.body.dataset.state === 'set'")
    page.evaluate("...")          the value of the expression; promises are awaited
    page.console, page.requests   errors and warnings, requested addresses
"""

import base64
import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests import needs

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-extensions --disable-default-apps --no-pings --mute-audio
    --disable-dev-shm-usage --hide-scrollbars --remote-debugging-port=0 --remote-allow-origins=*
    --autoplay-policy=no-user-gesture-required --lang=en"""
# A service worker loads what it keeps after the page has loaded, and costs as much as half of the page itself.
NO_WORKER = "Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined })"
PATIENCE_S = 60.0
# Looks a hundred times a second, within the page: a look from here costs both processes milliseconds.
WAIT = """(async () => {
  for (let looks = %d; looks > 0; looks -= 1) {
    if (%s) return true;
    await new Promise((later) => setTimeout(later, 10));
  }
  return false;
})()"""
LOOKS = 50
NAVIGATES = ("navigated", "context was destroyed")  # the answer to a look in a page that is left


class BrowserError(AssertionError):
    """The browser could not do what was requested."""


class Browser:
    """A Chromium with its own profile; it ends with the `with` block."""

    def __init__(self, home: Path, window: tuple[int, int] = (800, 600), flags: Sequence[str] = ()) -> None:
        """Starts the browser. The part of a page outside the window is laid out, but drawn only for a screenshot."""
        self._home = home / "chromium"
        self._window = window
        self._flags = flags

    def __enter__(self) -> Self:
        self._home.mkdir(parents=True)
        command = [needs.path("chromium-headless-shell"), *FLAGS.split(), f"--user-data-dir={self._home}"]
        command += [*self._flags, "--window-size={},{}".format(*self._window), "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = self._home / "DevToolsActivePort"
        until(lambda: port_file.exists() and port_file.read_text().count("\n") == 1, "Chromium did not start")
        port, path = port_file.read_text().split()
        self._socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=None, compression=None, ping_interval=None)
        self._last_id = 0
        self._pages: dict[str, Page] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(BrowserError, ConnectionClosed):  # it may end before it answers
            self.call("Browser.close")
        self._socket.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def open(self, url: str, *, width: int, height: int, scale: float = 1.0, worker: bool = False) -> "Page":
        """A page, as in a browser that has no service workers unless `worker` is set."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        self.call("Browser.grantPermissions", permissions=["wakeLockScreen"], browserContextId=context)
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        if not worker:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=NO_WORKER)
        page.resize(width, height, scale)
        page.goto(url)
        return page

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        self._socket.send(json.dumps(message if session is None else message | {"sessionId": session}))
        for answer in self._messages(self._socket):
            if answer.get("id") == self._last_id:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
        raise BrowserError(f"{method}: the browser is gone")

    def _messages(self, socket: ClientConnection) -> Iterator[dict[str, Any]]:
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            try:
                message = json.loads(socket.recv(timeout=PATIENCE_S))
            except (TimeoutError, ConnectionClosed) as error:
                raise BrowserError("the browser does not answer") from error
            if page := self._pages.get(message.get("sessionId", "")):
                page.note(message)
            yield message


class Page:
    """One tab with its own context: no storage is shared."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self.console: list[str] = []  # errors and warnings
        self.requests: list[str] = []
        self.sockets: list[str] = []

    def note(self, message: dict[str, Any]) -> None:
        """Takes a notification of the browser."""
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.console.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.console.append(" ".join(str(arg.get("value", arg.get("description"))) for arg in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.console.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.sockets.append(params["url"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def goto(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def resize(self, width: int, height: int, scale: float = 1.0) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def at_noon(self) -> None:
        """Moves the page to a time zone in which it is about noon: no midnight passes within the test."""
        self.call("Emulation.setTimezoneOverride", timezoneId=f"Etc/GMT{time.gmtime().tm_hour - 12:+d}")

    def evaluate(self, expression: str) -> Any:
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str, within_s: float = PATIENCE_S, *, again: Callable[[], object] = lambda: None) -> None:
        """Waits until the expression is true, also while the page reloads.

        Before each half second `again` is called: it brings back what would be over before the page shows it.
        """

        def true() -> bool:
            again()
            try:
                return self.evaluate(WAIT % (LOOKS, condition)) is True
            except BrowserError as error:
                if any(sign in str(error) for sign in NAVIGATES):
                    return False
                raise

        until(true, f"never true: {condition}", within_s)

    def key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    def screenshot(self, path: Path) -> Path:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
        return path

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)


def until(condition: Callable[[], bool], complaint: str, within_s: float = PATIENCE_S) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise BrowserError(complaint)
        time.sleep(0.02)
