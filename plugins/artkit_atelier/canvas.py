"""The geometry of a scene as pixels, before any light falls on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from artkit_atelier.noise import Array

Box = tuple[slice, slice]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass
class Canvas:
    """Buffers (H, W) that layers are painted into from back to front.

    `material` says what a pixel is made of (light.MATERIALS), `haze` how much air lies before it [0, 1], `side` and
    `up` which way its surface faces (-1 left to 1 right; -1 down to 1 up), `tone` its texture (added brightness, about
    [-0.5, 0.5]), and `shadow` how much of the sun is hidden from it [0, 1]. `pan` moves the camera to the right.
    """

    labels: npt.NDArray[np.uint8]
    material: npt.NDArray[np.uint8]
    haze: Array
    side: Array
    up: Array
    tone: Array
    shadow: Array
    pan: float = 0.0

    @classmethod
    def blank(cls, height: int, width: int, pan: float = 0.0) -> Canvas:
        """Return a canvas of empty sky."""
        labels, material = np.zeros((2, height, width), np.uint8)
        haze, side, up, tone, shadow = np.zeros((5, height, width), np.float32)
        return cls(labels, material, haze, side, up, tone, shadow, pan)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.labels.shape[0], self.labels.shape[1]

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.shape[1] / self.shape[0]

    @property
    def x(self) -> Array:
        """Pixel centres across the frame, [0, 1]."""
        return (np.arange(self.shape[1], dtype=np.float32) + 0.5) / self.shape[1]

    @property
    def y(self) -> Array:
        """Pixel centres down the frame, [0, 1]."""
        return (np.arange(self.shape[0], dtype=np.float32) + 0.5) / self.shape[0]

    def world(self, nearness: float) -> Array:
        """Return the world's x under each column for a layer at `nearness` (0 far away, 1 at the camera)."""
        return (self.x + np.float32(self.pan * nearness)).astype(np.float32)

    def box(self, left: float, right: float, top: float, bottom: float) -> Box | None:
        """Return the pixels within these coordinates, or None where they lie outside the frame."""
        height, width = self.shape
        rows = slice(max(0, int(np.floor(top * height))), min(height, int(np.ceil(bottom * height))))
        columns = slice(max(0, int(np.floor(left * width))), min(width, int(np.ceil(right * width))))
        return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None

    def rows(self, top: float, bottom: float = 1.0) -> slice:
        """Return the rows between two heights."""
        height = self.shape[0]
        return slice(int(np.clip(np.floor(top * height), 0, height)), int(np.clip(np.ceil(bottom * height), 0, height)))

    def fill(
        self,
        box: Box,
        mask: Mask,
        label: int,
        material: int,
        haze: Array | float = 0.0,
        side: Array | float = 0.0,
        up: Array | float = 0.0,
        tone: Array | float = 0.0,
    ) -> None:
        """Paint the pixels of `mask` (the size of `box`), hiding what was there."""
        layers = (
            (self.labels, label), (self.material, material), (self.haze, haze), (self.side, side),
            (self.up, up), (self.tone, tone), (self.shadow, 0.0),
        )  # fmt: skip
        for buffer, value in layers:
            np.copyto(buffer[box], value, where=mask, casting="unsafe")


@dataclass(frozen=True)
class Heap:
    """A heap of balls, of which clouds, crowns of trees and bushes are made: at (u, v), with radii along both axes.

    Later balls hide earlier ones.
    """

    u: Floats
    v: Floats
    radius_u: Floats
    radius_v: Floats

    def surface(self, u: Array, v: Array, ragged: Array | float, blend: float) -> tuple[Array, Array, Array]:
        """Return over the grid (v, u) the thickness (above 0 inside) and which way the surface faces: right, to +v.

        `ragged` is added to every ball's thickness; `blend` in [0, 1] melts the balls into one another.
        """
        body = np.full((len(v), len(u)), -9.0, np.float32)
        side, rise = np.zeros_like(body), np.zeros_like(body)
        for k in range(len(self.u)):
            across = ((u - self.u[k]) / self.radius_u[k]).astype(np.float32)
            down = ((v - self.v[k]) / self.radius_v[k]).astype(np.float32)
            ball = (1 - across**2) - (down**2)[:, None] + ragged
            share = np.clip(ball / np.float32(0.05 + blend), 0, 1)
            np.maximum(body, ball, out=body)
            side += share * (across - side)
            rise += share * (down[:, None] - rise)
        return body, side, rise
