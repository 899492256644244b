"""A page of another origin, in a real browser, tries the local cloud: it gets nothing.

    python -m tests.local.browser [--chromium PATH]

It takes Chromium, so it is no part of ``make test``. The page has all that a page may do without
being asked, and what it would have to ask for; each attempt tells what it could read. The exit
code is 0 where it could read nothing and nothing was made, though with MiniStack alone it could.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mpe.local.cloud import LocalCloud
from tests.local.ministack.conftest import Alone, served
from tests.local.test_door import FUNCTION, PRESIGNED, ROLE, made

PAGE = """<!doctype html><title>another origin</title><body><script>
const endpoint = ENDPOINT, role = ROLE, body = FUNCTION;
const text = {"Content-Type": "text/plain"};
const form = {"Content-Type": "application/x-www-form-urlencoded"};
const attempts = {
  "form POST": () => fetch(endpoint + "/?" + role, {method: "POST", headers: form, body: role}),
  "text POST": () => fetch(endpoint + "/?" + role, {method: "POST", headers: text, body: "x"}),
  "text POST, nothing read": () =>
    fetch(endpoint + "/?" + role, {method: "POST", mode: "no-cors", headers: text, body: "x"}),
  "GET": () => fetch(endpoint + "/?" + role),
  "GET without a referer": () =>
    fetch(endpoint + "/?" + role, {mode: "no-cors", referrerPolicy: "no-referrer"}),
  "CreateFunction": () => fetch(endpoint + "/2015-03-31/functions?" + SIGNED,
    {method: "POST", mode: "no-cors", headers: text, body}),
  "PUT with a preflight": () => fetch(endpoint + "/theirs", {method: "PUT"}),
  "mail": () => fetch(endpoint + "/_mpe/mail"),
  "health": () => fetch(endpoint + "/health"),
  "reset": () => fetch(endpoint + "/_ministack/reset", {method: "POST", mode: "no-cors"}),
  "an image": () => new Promise((load, fail) => {
    const image = new Image(); image.referrerPolicy = "no-referrer";
    image.onload = () => load({type: "image", text: () => "an image"});
    image.onerror = () => fail("no image"); image.src = endpoint + "/?" + role; }),
  "a sandboxed frame": () => new Promise((load) => {
    const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts";
    addEventListener("message", (event) => load({type: "frame", text: () => event.data}));
    frame.srcdoc = `<script>fetch("${endpoint}/?${role}", {method: "POST"})
      .then((one) => one.text(), String).then((it) => parent.postMessage(it, "*"))</` + "script>";
    document.body.append(frame); }),
  "a websocket": () => new Promise((load, fail) => {
    const socket = new WebSocket(endpoint.replace("http", "ws") + "/_aws/execute-api/a/b");
    socket.onopen = () => load({type: "socket", text: () => "open"});
    socket.onerror = () => fail("no socket"); }),
};
(async () => {
  const told = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try { const answer = await attempt(); told[name] = [answer.type, await answer.text()]; }
    catch (error) { told[name] = ["refused", String(error)]; }
  }
  const hidden = document.createElement("form");
  hidden.method = "POST"; hidden.action = endpoint + "/?" + role; hidden.target = "_blank";
  document.body.append(hidden); hidden.submit();
  await fetch("/told", {method: "POST", body: JSON.stringify(told)});
})();
</script>"""


class Site(ThreadingHTTPServer):
    """Another site on this machine: it has the page and is told what came of it."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        known = {"ENDPOINT": endpoint, "ROLE": ROLE, "FUNCTION": FUNCTION}
        known["SIGNED"] = PRESIGNED.format("lambda")
        self.page = PAGE
        for name, value in known.items():
            self.page = self.page.replace(name, json.dumps(value), 1)
        self.told: dict[str, list[str]] = {}
        self.done = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self._answer(self.server.page.encode())

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.told = json.loads(self.rfile.read(length))
        self._answer(b"")
        self.server.done.set()

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def browsing(chromium: str, url: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-popup-blocking",
                # The name of a site elsewhere, so that no name of this machine is excepted.
                "--host-resolver-rules=MAP *.example 127.0.0.1",
                # Not every browser asks before a page may reach this machine, as this one does.
                "--disable-features=LocalNetworkAccessChecks",
                f"--user-data-dir={profile}",
                url,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            browser.kill()
            browser.wait()


def tried(cloud: LocalCloud | Alone, chromium: str, host: str, name: str) -> dict[str, list[str]]:
    """Return what a page of a host could read at a name of the endpoint, by attempt."""
    site = Site(f"http://{name}:{cloud.port}")
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        with browsing(chromium, f"http://{host}:{site.server_port}/"):
            assert site.done.wait(120), "the page did not get to its end"
    finally:
        site.shutdown()
        site.server_close()
    return site.told


READ_NOTHING = {"refused", "opaque"}
"""What an attempt comes to where the page can read nothing of an answer."""


def attempts(cloud: LocalCloud | Alone, chromium: str, host: str, name: str) -> int:
    """Let a page of a host try the local cloud by a name; tell what it could read, and count it."""
    print(f"\nA page of http://{host} tries http://{name}:{cloud.port}:")
    read = 0
    for attempt, (kind, text) in tried(cloud, chromium, host, name).items():
        nothing = kind in READ_NOTHING or "Failed to fetch" in text
        read += not nothing
        print(f"  {attempt:26} {'nothing' if nothing else 'READ'}: {kind}, {text[:60]!r}")
    return read


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--chromium", default=shutil.which("chromium") or "chromium")
    chromium = parser.parse_args().chromium
    version = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True)
    print(version.stdout.strip())
    print("\nMiniStack alone, to see that the page could do something:")
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as alone:
        control = attempts(alone, chromium, "evil.example", "127.0.0.1")
        print(f"\nMade in MiniStack alone: {made(alone)}")
        control = control and bool(made(alone)["roles"])
    print("\nThe local cloud:")
    with LocalCloud(empty=True) as cloud:
        read = sum(
            attempts(cloud, chromium, host, name)
            for host in ("evil.example", "localhost", "127.0.0.1")
            for name in ("127.0.0.1", "localhost", "rebound.example")
        )
        after = made(cloud)
    print(f"\nMade in the local cloud: {after}")
    return int(bool(read) or not control or any(after.values()))


if __name__ == "__main__":
    sys.exit(main())
