"""What an author of plugins has: artkit with its entry points, wheels, and processes that see what is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def install_artkit(site: Path) -> None:
    """Write artkit's metadata, as pyproject.toml has it: what is installed on this machine may be another's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"artkit_images-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: artkit-images\nVersion: {project['version']}\n")
    sections = [
        f"[{group}]\n" + "".join(f"{name} = {reference}\n" for name, reference in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(sections))


def build_wheel(project: Path, folder: Path) -> Path:
    """Build a project's wheel into a folder, without any network."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, site: Path) -> None:
    """Install a wheel of pure Python: that is, unpack it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def author_environment(site: Path) -> dict[str, str]:
    """Return the environment of a process that sees what lies in `site`, then this tree."""
    paths = [str(site), str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def run_python(*arguments: Any, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` as an author does."""
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=author_environment(site), capture_output=True, text=True, timeout=280, check=False
    )
