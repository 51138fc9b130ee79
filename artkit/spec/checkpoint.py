"""What a plugin's `import_checkpoint` is given: foreign files as read, and what the user said of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from artkit.spec.classes import ClassSet

if TYPE_CHECKING:
    from torch import Tensor

Direction = Literal["AtoB", "BtoA"]
Role = Literal["generator", "discriminator"]


@dataclass(frozen=True)
class Hints:
    """What no tensor tells. `size` is the side of the pictures it was trained on, `classes` those of its label maps."""

    direction: Direction | None = None
    size: int | None = None
    classes: ClassSet | None = None
    licence: str = ""


@dataclass(frozen=True)
class Recognised:
    """A network of another project under artkit's names.

    `network` is `resnet_N`, `unet_S` or `patch`, `arguments` what its class in `artkit.nn` (ResnetGenerator,
    UnetGenerator, PatchDiscriminator) is constructed with, `tensors` its state dict, `words` the line said to the user.
    """

    role: Role
    network: str
    arguments: dict[str, Any]
    tensors: dict[str, Tensor]
    words: str


@dataclass(frozen=True)
class ForeignFile:
    """One file: its tensors by their own names, and what core takes it for; `problem` says why that is nothing."""

    path: Path
    tensors: dict[str, Tensor]
    recognised: Recognised | None = None
    problem: str = ""

    @property
    def direction(self) -> Direction | None:
        """Which way it translates (or whose output it sees) by the name these projects give it: `..._G_A`."""
        match = re.search(r"_(?:G|D)_([AB])\b", self.path.stem)
        return None if match is None else "AtoB" if match[1] == "A" else "BtoA"


@dataclass(frozen=True)
class Checkpoint:
    """The files that become one model, and the hints."""

    files: tuple[ForeignFile, ...]
    hints: Hints = Hints()

    @property
    def known(self) -> bool:
        """Whether core recognised every file."""
        return all(file.recognised for file in self.files)

    @property
    def generators(self) -> list[tuple[ForeignFile, Recognised]]:
        """The recognised generators, each with the file it came from."""
        return self._networks("generator")

    @property
    def discriminators(self) -> list[tuple[ForeignFile, Recognised]]:
        """The recognised discriminators, each with the file it came from."""
        return self._networks("discriminator")

    def _networks(self, role: str) -> list[tuple[ForeignFile, Recognised]]:
        return [(file, file.recognised) for file in self.files if file.recognised and file.recognised.role == role]
