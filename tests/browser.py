"""A real browser for tests: headless Chromium, told what to do by its own protocol (Chrome DevTools)."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from base64 import b64decode
from contextlib import contextmanager
from itertools import count

import pytest

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")


class Page:
    """One page: values are read by expressions, and the mouse and the keyboard are real events."""

    def __init__(self, socket) -> None:
        self._socket, self._ids = socket, count(1)
        self.told: list[dict] = []  # errors and warnings of the console, and requests
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params):
        """Returns what the browser says to a command."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (message := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            self._note(message)
        assert "error" not in message, message["error"]
        return message["result"]

    def _note(self, message) -> None:
        if message.get("method") in {"Log.entryAdded", "Runtime.exceptionThrown", "Network.requestWillBeSent"}:
            self.told.append(message)

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        while self.read("document.readyState") != "complete" or self.read("location.href") == "about:blank":
            pass

    def read(self, expression: str):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def text(self, selector: str) -> str:
        """Returns the text of an element, once it is there."""
        until = time.monotonic() + 20.0
        while (said := self.read(f"document.querySelector({json.dumps(selector)})?.innerText")) is None:
            assert time.monotonic() < until, f"there is no {selector}"
        return said

    def click(self, selector: str, x: float = 0.5) -> None:
        """Clicks on an element, by default in its middle."""
        found = f"const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
        box = "const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height];"
        left, top, width, height = self.read(f"(() => {{ {found} {box} }})()")
        at = {"x": left + x * width, "y": top + height / 2, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **at)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def look(self, width: int, *, dark: bool = False) -> None:
        """Sets the width of the window, in pixels, and the colours."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def picture(self) -> bytes:
        return b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    @property
    def requests(self) -> list[str]:
        """What the page has asked for, itself included."""
        return [m["params"]["request"]["url"] for m in self.told if m["method"] == "Network.requestWillBeSent"]

    @property
    def faults(self) -> list[dict]:
        """What the console holds against the page."""
        return [message for message in self.told if message["method"] != "Network.requestWillBeSent"]


@contextmanager
def browser(folder):
    """Yields a page of a browser whose files are in the folder."""
    from websockets.sync.client import connect

    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--remote-debugging-port=0"]
    process = subprocess.Popen(["chromium", *options, "about:blank"], stderr=subprocess.PIPE, text=True)
    try:
        base = next(line for line in process.stderr if "DevTools listening" in line).split()[-1]
        with connect(base, max_size=None) as whole:
            whole.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
            targets = json.loads(whole.recv(timeout=60))["result"]["targetInfos"]
        name = next(target["targetId"] for target in targets if target["type"] == "page")
        with connect(f"{base.partition('/devtools')[0]}/devtools/page/{name}", max_size=None) as socket:
            yield Page(socket)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
