"""Debian's Chromium, driven by the DevTools protocol over a pipe, without a package between."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_HEIGHT: Final = 900
_CHUNK_BYTES: Final = 65_536
#: How long a page may take on a busy machine (s).
_PATIENCE_S: Final = 60
_GRAVE: Final = ("error", "warning")


@dataclass(frozen=True)
class Seen:
    """A page as a reader has it: its status, what the browser complained of, how wide it is."""

    status: int
    complaints: tuple[str, ...]
    widths: dict[int, int]
    """The width (px) that its content takes, by the width of the window."""

    @property
    def too_wide(self) -> dict[int, int]:
        """The windows that have to be scrolled sideways, and how wide their content is."""
        return {window: taken for window, taken in self.widths.items() if taken > window}


@dataclass
class Chromium:
    """One window of a browser of its own."""

    _commands: IO[bytes]
    _answers: int
    _unread: bytes = b""
    _session: str = ""
    _count: int = 0
    _events: list[dict[str, Any]] = field(default_factory=list)

    def open_window(self) -> None:
        """Open the window that all pages are shown in."""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self._call("Browser.close")

    def become(self, url: str, cookies: dict[str, str]) -> None:
        """Forget every cookie of a site, and keep these."""
        self._call("Network.clearBrowserCookies")
        for name, value in cookies.items():
            self._call("Network.setCookie", name=name, value=value, url=url)

    def look_at(self, url: str, *widths: int) -> Seen:
        """Load a page in the first window width, then see how wide it is in each."""
        self._events.clear()
        self._resize(widths[0])
        frame = self._call("Page.navigate", url=url)
        assert "errorText" not in frame, (url, frame)
        self._wait_for_load(frame["loaderId"])
        taken = {}
        for width in widths:
            self._resize(width)
            taken[width] = self._evaluate("document.documentElement.scrollWidth")
        answers = [
            event["params"]["response"]["status"]
            for event in self._events
            if event["method"] == "Network.responseReceived"
            and event["params"]["type"] == "Document"
        ]
        return Seen(answers[-1], tuple(filter(None, map(_complaint, self._events))), taken)

    def _resize(self, width: int) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=_HEIGHT,
            deviceScaleFactor=1,
            mobile=False,
        )

    def _evaluate(self, expression: str) -> int:
        return int(self._call("Runtime.evaluate", expression=expression)["result"]["value"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer)
                return dict(answer["result"])

    def _wait_for_load(self, loader: str) -> None:
        """Wait until the document of one navigation has loaded, and none before it."""
        wanted = ("load", loader)
        while not any(
            event["method"] == "Page.lifecycleEvent"
            and (event["params"]["name"], event["params"]["loaderId"]) == wanted
            for event in self._events
        ):
            self._read()

    def _read(self) -> dict[str, Any]:
        """Return the next message; events are kept."""
        while b"\0" not in self._unread:
            is_there, _, _ = select.select([self._answers], [], [], _PATIENCE_S)
            assert is_there, f"Chromium said nothing for {_PATIENCE_S} s"
            more = os.read(self._answers, _CHUNK_BYTES)
            assert more, "Chromium has ended"
            self._unread += more
        text, _, self._unread = self._unread.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._events.append(message)
        return message


def _complaint(event: dict[str, Any]) -> str | None:
    """Say what an event tells of that is wrong: a script's error, a resource that is not there."""
    told = event["params"]
    is_grave = {
        "Runtime.exceptionThrown": True,
        "Runtime.consoleAPICalled": told.get("type") in _GRAVE,
        "Log.entryAdded": told.get("entry", {}).get("level") in _GRAVE,
    }
    return json.dumps(told) if is_grave.get(event["method"]) else None


def find_chromium() -> str:
    """Return where Chromium is; fail with what to do where it is not."""
    named = os.environ.get("JINGSHU_CHROMIUM")
    found = next(filter(None, map(shutil.which, (named,) if named else _NAMES)), None)
    if found is None:
        pytest.fail(
            "Page tests need Chromium: apt-get install chromium (Debian), or name another one in"
            " JINGSHU_CHROMIUM."
        )
    return found


@contextmanager
def running_chromium(profile: Path) -> Iterator[Chromium]:
    """Start a browser with a profile of its own, and stop it at the end."""
    to_read, to_command = os.pipe()
    to_answer, answered = os.pipe()
    # Chromium reads commands from descriptor 3 and answers on descriptor 4.
    redirect = f'exec "$@" 3<&{to_read} 4>&{answered}'
    command = (find_chromium(), *_OPTIONS, f"--user-data-dir={profile}")
    process = subprocess.Popen(
        ("bash", "-c", redirect, "bash", *command),
        pass_fds=(to_read, answered),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_read)
    os.close(answered)
    with os.fdopen(to_command, "wb") as commands:
        browser = Chromium(commands, to_answer)
        try:
            browser.open_window()
            yield browser
        finally:
            # Closing ends its helpers too, which would go on writing into the profile.
            with suppress(AssertionError, BrokenPipeError, subprocess.TimeoutExpired):
                browser.close()
                process.wait(_PATIENCE_S)
            process.kill()
            process.wait()
            os.close(to_answer)
