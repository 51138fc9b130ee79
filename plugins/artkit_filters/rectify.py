"""The filter that takes a photographed sheet for what it is: a rectangle, seen from straight above."""

from __future__ import annotations

import logging

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, Translator
from artkit_filters import SPECS
from artkit_filters.arrays import to_array

_log = logging.getLogger("artkit")

FOCAL = 0.65
"""Focal length of the camera as a share of the picture's diagonal: a telephone's main lens, 28 mm in old measure."""


class Rectify(Translator):
    """A sheet that was photographed, cut out and seen from straight above; without a sheet, the photo.

    The homography is that of the four corners. A plain margin around what the sheet shows is cut off too.
    """

    spec = SPECS["rectify"]
    finds_size = True

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        """Rectify N3HW, photos whose sheets come out in one size."""
        return torch.cat([rectify(photo) for photo in image.split(1)])


def rectify(photo: Tensor) -> Tensor:
    """Return the sheet (1, 3, h, w) in a photo (1, 3, H, W), or the photo where there is none."""
    from artkit_filters.sheet import find_plain_margin, find_sheet

    corners = find_sheet(to_array(photo))
    if corners is None:
        _log.warning(
            "rectify: no sheet with four straight sides is seen in the picture, which stays as it is: photograph the "
            "whole sheet, on a table of another colour."
        )
        return photo
    sheet = cut_out(photo, corners)
    height, width = sheet.shape[-2:]
    inner = find_plain_margin(to_array(sheet))
    if inner is None:
        return sheet
    return cut_out(photo, project(homography((height, width), corners), inner))


def cut_out(photo: Tensor, corners: np.ndarray) -> Tensor:
    """Return the sheet (1, 3, h, w) with these corners (4, 2) in a photo (1, 3, H, W), as fine as it is there."""
    height, width = photo.shape[-2:]
    size = sheet_size(corners, (height, width))
    y, x = (np.arange(side) + 0.5 for side in size)
    places = project(homography(size, corners), np.stack(np.meshgrid(x, y), -1))
    grid = torch.from_numpy(places / (width, height) * 2 - 1).to(photo)[None]
    return F.grid_sample(photo, grid, mode="bicubic", padding_mode="border", align_corners=False).clamp(0, 1)


def sheet_size(corners: np.ndarray, photo: tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of a sheet that loses no detail, nor has more pixels than the photo, (height, width).

    The proportions are those of the rectangle of which a camera of `FOCAL` sees these corners (Zhang and He,
    "Whiteboard scanning and image enhancement", 2007, section 3.2). They find the focal length in the same picture;
    at tilts below 15 degrees it is lost in the error of the corners, and a likely one is nearer to the truth.
    """
    edges = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    diagonal = float(np.hypot(*photo))
    rays = np.column_stack([corners - np.array(photo[::-1]) / 2, np.full(4, FOCAL * diagonal)])
    top_left, top_right, bottom_right, bottom_left = rays
    crossing = np.cross(top_left, bottom_right)
    right = crossing @ bottom_left / (np.cross(top_right, bottom_right) @ bottom_left) * top_right - top_left
    down = crossing @ top_right / (np.cross(bottom_left, bottom_right) @ top_right) * bottom_left - top_left
    proportion = float(np.linalg.norm(right) / np.linalg.norm(down))
    width = max(edges[0], edges[2], proportion * max(edges[1], edges[3]))
    width = min(width, (proportion * photo[0] * photo[1]) ** 0.5)
    return max(1, int(width / proportion)), max(1, int(width))


def homography(size: tuple[int, int], corners: np.ndarray) -> np.ndarray:
    """Return the matrix (3, 3) that maps a rectangle of (height, width) to corners (4, 2)."""
    height, width = size
    rows = []
    for (x, y), (u, v) in zip(((0, 0), (width, 0), (width, height), (0, height)), corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
    return np.append(np.linalg.solve(np.array(rows, float), corners.ravel()), 1).reshape(3, 3)


def project(matrix: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return places (..., 2) mapped by a homography (3, 3)."""
    moved = places @ matrix[:, :2].T + matrix[:, 2]
    return moved[..., :2] / moved[..., 2:]
