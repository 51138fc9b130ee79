"""Types reach whoever installs artkit: a plugin author's mypy reads them from the installed wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from artkit.plugins import Registry
from artkit.plugins.scaffold import KINDS, write_plugin

ROOT = Path(__file__).parents[1]

AUTHOR = """
from pathlib import Path

import artkit
from artkit.spec import MethodSpec

chain = artkit.Chain("edges")
reveal_type(chain("photo.png"))
reveal_type(artkit.train("pix2pix", "data", Path("run")))
MethodSpec(name=3, summary="", inputs=(), output=artkit.Kind.IMAGE, translator="")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Unpack a wheel into an empty environment and return that environment's Python."""
    root = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(root)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = root.glob("*.whl")
    venv.create(root / "env", with_pip=False)
    (packages,) = (root / "env").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    return root / "env" / "bin" / "python"


def test_the_wheel_has_what_a_new_plugin_begins_with(installed):
    (packages,) = installed.parents[1].glob("lib/python*/site-packages")
    templates = ROOT / "artkit" / "plugins" / "templates"
    written = {file.relative_to(ROOT) for file in templates.rglob("*") if file.is_file()}
    assert len(written) > 20
    assert {file for file in written if not (packages / file).is_file()} == set()
    (entry_points,) = packages.glob("artkit_images-*.dist-info/entry_points.txt")
    assert "[pytest11]\nartkit = artkit.testing.pytest_plugin\n" in entry_points.read_text()


def test_an_authors_mypy_sees_the_types_of_the_wheel(installed, tmp_path):
    (tmp_path / "author.py").write_text(AUTHOR)
    command = [sys.executable, "-m", "mypy", "--python-executable", str(installed), "--follow-imports=silent"]
    done = subprocess.run(
        [*command, "--config-file=", "--cache-dir", str(tmp_path / "cache"), "author.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines() if line.startswith("author.py")]
    revealed = [line for line in lines if line.startswith("note: Revealed")]
    assert "artkit.images.picture.Picture" in revealed[0]
    assert "pathlib" in revealed[1]
    assert sum(line.startswith("error:") for line in lines) == 1
    assert any('Argument "name" to "MethodSpec" has incompatible type "int"' in line for line in lines)


QUICK = """
[mypy]
disallow_untyped_defs = True
warn_unused_ignores = True

[mypy-torch.*,numpy.*,skimage.*,scipy.*,PIL.*]
follow_imports = skip
"""


def test_new_packages_and_the_examples_are_typed(tmp_path):
    packages = [ROOT / "examples" / "plugin-colouriser" / "artkit_colouriser"]
    packages.append(ROOT / "examples" / "integrations" / "artkit-comfyui" / "artkit_comfyui")
    for kind in KINDS:
        packages.append(write_plugin(f"typed_{kind}", kind, "MIT", tmp_path, Registry()) / f"artkit_typed_{kind}")
    for package in packages:
        (tmp_path / package.name).symlink_to(package)
    (tmp_path / "mypy.ini").write_text(QUICK)
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", *(package.name for package in packages)]
    environment = os.environ | {"MYPYPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout
