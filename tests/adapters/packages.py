"""Two package registries on loopback, Python's and npm's, with one small package each, as pip and npm ask for them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PYTHON, NPM = "pypi.example.org", "npm.example.org"
"""The names of the two, behind the company's proxy."""


def _wheel() -> bytes:
    """ops_tiny 1.0: a module of one line."""
    info = "ops_tiny-1.0.dist-info"
    files = {
        "ops_tiny.py": "WORD = 'from the wheel'\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: ops-tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: ops\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _tarball() -> bytes:
    """ops-tiny 1.0.0: a module of one line."""
    files = {
        "package/package.json": json.dumps({"name": "ops-tiny", "version": "1.0.0", "main": "index.js"}),
        "package/index.js": "module.exports = 'from the tarball'\n",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def _python() -> dict[str, tuple[str, bytes]]:
    wheel, name = _wheel(), "ops_tiny-1.0-py3-none-any.whl"
    digest = hashlib.sha256(wheel).hexdigest()
    page = f'<!DOCTYPE html><a href="/files/{name}#sha256={digest}">{name}</a>'
    return {"/simple/ops-tiny/": ("text/html", page.encode()), f"/files/{name}": ("application/zip", wheel)}


def _npm() -> dict[str, tuple[str, bytes]]:
    tarball, path = _tarball(), "/ops-tiny/-/ops-tiny-1.0.0.tgz"
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    version = {"name": "ops-tiny", "version": "1.0.0", "main": "index.js"}
    version |= {"dist": {"tarball": f"https://{NPM}{path}", "integrity": integrity}}  # type: ignore[dict-item] # JSON
    page = {"name": "ops-tiny", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
    return {"/ops-tiny": ("application/json", json.dumps(page).encode()), path: ("application/octet-stream", tarball)}


@contextmanager
def serving(pages: Mapping[str, tuple[str, bytes]]) -> Iterator[ThreadingHTTPServer]:
    """These pages, for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, body = pages.get(self.path.partition("?")[0], ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("content-type", kind or "text/plain")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def registries() -> Iterator[Mapping[str, ThreadingHTTPServer]]:
    """Both, by their names."""
    with serving(_python()) as python, serving(_npm()) as npm:
        yield {PYTHON: python, NPM: npm}
