"""A hub on this machine: repositories of files with revisions, as much of the protocol as pulling and pushing speak."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Files = dict[str, bytes]


class Hub:
    """Repositories by USER/REPO, each a list of revisions, the newest last; `asked` is a log of paths."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.repos: dict[str, list[Files]] = {}
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        """Answers in place of the right ones, by the start of a path."""

    def commit(self, repo: str, files: Files) -> str:
        """Add a revision to a repository, and return its hash."""
        self.repos.setdefault(repo, []).append((self.repos.get(repo) or [{}])[-1] | files)
        return self.hash_of(repo, len(self.repos[repo]) - 1)

    def hash_of(self, repo: str, index: int) -> str:
        return hashlib.sha1(f"{repo}{index}".encode()).hexdigest()

    def find(self, repo: str, revision: str) -> tuple[str, Files] | None:
        revisions = self.repos.get(repo, [])
        hashes = [self.hash_of(repo, index) for index in range(len(revisions))]
        if revision == "main" and revisions:
            return hashes[-1], revisions[-1]
        return next(((sha, files) for sha, files in zip(hashes, revisions, strict=True) if sha == revision), None)


class Visit(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.hub.asked.append(path)
        parts = path.strip("/").split("/")
        planned = next((answer for start, answer in self.hub.answers.items() if path.startswith(start)), None)
        if planned is not None:
            return self.send(*planned)
        if parts[:2] == ["api", "models"] and len(parts) == 6:
            return self.tell(f"{parts[2]}/{parts[3]}", parts[5])
        if len(parts) == 5 and parts[2] == "resolve":
            found = self.hub.find("/".join(parts[:2]), parts[3])
            if found and parts[4] in found[1]:
                return self.send(200, found[1][parts[4]])
        return self.send(404, b"{}")

    def tell(self, repo: str, revision: str) -> None:
        found = self.hub.find(repo, revision)
        if found is None:
            return self.send(404, b"{}")
        sha, files = found
        siblings = [
            {"rfilename": name, "size": len(data), "lfs": {"sha256": hashlib.sha256(data).hexdigest()}}
            for name, data in files.items()
        ]
        return self.send_json({"id": repo, "sha": sha, "siblings": siblings})

    def do_POST(self) -> None:
        self.hub.asked.append(self.path)
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/repos/create":
            asked = json.loads(data)
            repo = f"{asked.get('organization') or 'me'}/{asked['name']}"
            self.hub.repos.setdefault(repo, [{}])
            return self.send_json({"url": f"{self.hub.url}/{repo}", "id": "1"})
        if self.path == "/api/validate-yaml":
            return self.send_json({"errors": [], "warnings": []})
        repo = "/".join(self.path.split("/")[3:5])
        if "/preupload/" in self.path:
            asked_files = [one["path"] for one in json.loads(data)["files"]]
            answer = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in asked_files]
            return self.send_json({"files": answer})
        lines = [json.loads(line) for line in data.splitlines()]
        written = {
            one["value"]["path"]: base64.b64decode(one["value"]["content"]) for one in lines if one["key"] == "file"
        }
        sha = self.hub.commit(repo, written)
        return self.send_json({"success": True, "commitOid": sha, "commitUrl": f"{self.hub.url}/{repo}/commit/{sha}"})

    def send_json(self, document: Any) -> None:
        self.send(200, json.dumps(document).encode(), "application/json")

    def send(self, status: int, data: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@contextmanager
def open_hub() -> Iterator[Hub]:
    """Run a hub on the loopback device while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
    hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("OwnVisit", (Visit,), {"hub": hub})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
