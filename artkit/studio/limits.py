"""What the studio refuses: how much of everything there may be, and the one line that says so."""

from __future__ import annotations

from dataclasses import dataclass

from artkit.errors import ArtkitError


class Refusal(ArtkitError):
    """A request that is answered with an HTTP `status` and one line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """How much of everything there may be.

    `upload`: bytes of one request. `fields` and `files`: parts of its form. `waiting` and `waiting_each`: jobs that
    wait, in all and of one client. `waiting_bytes`: of the pictures that they hold. `kept`, `kept_bytes` and
    `kept_seconds`: results that are kept. `job_seconds`: of computing a picture. `upload_seconds`: of sending a
    request. `watchers`: event streams that are open at once.
    """

    upload: int = 64 * 2**20
    fields: int = 32
    files: int = 16
    waiting: int = 64
    waiting_each: int = 12
    waiting_bytes: int = 512 * 2**20
    kept: int = 2_000
    kept_bytes: int = 512 * 2**20
    kept_seconds: float = 3600
    job_seconds: float = 600
    upload_seconds: float = 120
    watchers: int = 256


LIMITS = Limits()
"""Those of `artkit studio`."""
MAX_PIXELS = 50_000_000
"""Pixels of a picture that the studio reads or makes, unless ARTKIT_MAX_PIXELS says another number."""
