"""Provenance: what a written picture remembers of its making, enough to make it again and to tell why it differs."""

from __future__ import annotations

from typing import Any

import msgspec


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The record of one picture, which a PNG carries.

    `models` are hashes of the weights as they were loaded, by `method/name`; `plugins` the versions of the plugins that
    computed. `input` and `ports` are names of files without their folders, which are nobody's business; `input_hash`
    is the SHA-256 of the input's bytes, `frame` its number in a clip, from 1; `port_hashes` are those of the files for
    ports, in the order of the chain. `before` and `before_hashes` are those of the pictures before it that the chain
    looked at, the nearest first. `stopped_at` is how far the step came that Ctrl-C ended.
    """

    version: str
    chain: str
    seed: int
    models: dict[str, str]
    plugins: dict[str, str]
    torch: str
    device: str
    precision: str
    size: tuple[int, int] | None = None
    ports: dict[str, str | list[str]] = {}
    port_hashes: list[str | None] = []
    input: str | None = None
    input_hash: str | None = None
    frame: int | None = None
    before: list[str | None] = []
    before_hashes: list[str | None] = []
    stopped_at: float | None = None

    def as_record(self) -> dict[str, Any]:
        """Return the record as plain data, without what there is nothing to say of."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found
