"""Serving the studio: the address, the browser, and the end."""

from __future__ import annotations

import ipaddress
import os
import secrets
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from types import FrameType
from urllib.parse import urlencode

import uvicorn

from artkit.errors import UsageError
from artkit.plugins import Registry
from artkit.studio.app import make_app
from artkit.studio.guard import Access
from artkit.studio.limits import MAX_PIXELS
from artkit.studio.studio import Studio

PORT, TRIED = 8765, 20
"""The port where nobody names one, and how many after it are tried where it is taken."""
GRACE = 3
"""Seconds that open connections get at the end."""
HEAD_BYTES = 2**16
"""The most that the head of a request may have."""


class Server(uvicorn.Server):
    """A server that ends the jobs, and with them their event streams, before it waits for connections to close."""

    def __init__(self, studio: Studio, access: Access, started: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(
            make_app(studio, access),
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
        super().__init__(config)
        self._studio, self._started = studio, started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take Ctrl-C and SIGTERM for the ordinary end, after which all that was borrowed is given back."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to close; a second Ctrl-C does not wait for open connections."""
        super().handle_exit(sig, frame)
        self.close()

    def close(self) -> None:
        """Cancel the jobs and let the server end."""
        # In a thread: a signal may come while this one holds the desk.
        threading.Thread(target=self._studio.desk.close, daemon=True).start()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if not self.should_exit:
            self._started()
        if self.should_exit:  # already: the server would end without closing anything
            await self.shutdown(sockets)


def serve(
    registry: Registry,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    chain: str | None = None,
    browser: bool = True,
    tell: Callable[[str], None] = print,
) -> None:
    """Serve the studio until Ctrl-C or SIGTERM; `tell` gets its address once it listens.

    Raises UsageError where it cannot listen there.
    """
    listener = listen(host, port)
    access = make_access(host)
    address = make_address(listener, access, chain)

    def started() -> None:
        tell(f"The studio is at {address}   (Ctrl-C closes it)")
        if browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    os.environ.setdefault("ARTKIT_MAX_PIXELS", str(MAX_PIXELS))
    studio = Studio(registry)
    with listener, _nowhere():
        Server(studio, access, started).run(sockets=[listener])


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens at `port`, or, where nobody names one, at the first free one from PORT on.

    Raises UsageError that says what to type.
    """
    error: OSError | None = None
    for number in range(PORT, PORT + TRIED) if port is None else (port,):
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, number), family=family)
        except (OSError, UnicodeError) as problem:
            error = problem if isinstance(problem, OSError) else OSError(str(problem))
    assert error is not None  # there is a port to try
    where = f"port {port}" if port is not None else f"ports {PORT} to {PORT + TRIED - 1}"
    raise UsageError(
        f"the studio cannot listen at {host}, {where}: {error.strerror or error}. Try --port 0, which takes a free one."
    )


def make_access(host: str) -> Access:
    """Return who may come in: this machine alone, or, at any other address, whoever has the token."""
    if _is_loopback(host):
        return Access()
    names = {"localhost", host.lower(), socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
    return Access(token=secrets.token_urlsafe(24), names=frozenset(names))


def make_address(listener: socket.socket, access: Access, chain: str | None) -> str:
    """Return the page's address for a browser on this machine, or elsewhere where it listens to others."""
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname() if access.token else "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    query = urlencode({name: value for name, value in (("token", access.token), ("chain", chain)) if value})
    return f"http://{host}:{port}/" + (f"?{query}" if query else "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _has_screen() -> bool:
    """Tell whether a browser would open in a window; without one, some would take the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def _nowhere() -> Iterator[None]:
    """Work in an empty folder, so that a bare name in a chain finds no file of whoever started the studio."""
    for name in [name for name in os.environ if name.startswith("ARTKIT_")]:
        if os.path.exists(os.environ[name]):
            os.environ[name] = os.path.abspath(os.environ[name])
    with tempfile.TemporaryDirectory(prefix="artkit-studio-") as folder, chdir(folder):
        yield
