"""Every test runs with one thread and without the settings or models of the person who runs it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before torch is imported: workers side by side gain nothing from threads of their own.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
for name in [name for name in os.environ if name.startswith("ARTKIT_")]:
    del os.environ[name]

HERE = frozenset(path.stem for path in Path(__file__).parent.glob("*.py"))
settings.register_profile(
    "artkit", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("artkit")


@pytest.fixture(scope="session", autouse=True)
def artkit_home():
    """Give the session an empty model store; child processes inherit it."""
    with tempfile.TemporaryDirectory(prefix="artkit-home-") as home:
        os.environ["ARTKIT_HOME"] = home
        os.environ["TORCH_HOME"] = home
        yield home


@pytest.fixture(scope="session", autouse=True)
def errors_say_something():
    """Hold every error that a test meets, whatever the test asks of it, to the rule that it says something."""
    from artkit.errors import ArtkitError

    def say(self, *said):
        if not (said and isinstance(said[0], str) and said[0].strip()):
            pytest.fail(f"{type(self).__name__} says {said}")
        Exception.__init__(self, *said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArtkitError, "__init__", say)
        yield


@pytest.fixture(autouse=True)
def modules_of_tests():
    """Put back what stood for a file of this folder: `--plugin FILE` in this process imports the file anew."""
    before = {name: sys.modules[name] for name in HERE & sys.modules.keys()}
    yield
    sys.modules.update(before)


def pytest_runtest_setup(item):
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.accelerator.is_available():
            pytest.skip("needs an accelerator")


@pytest.fixture(scope="session")
def page_address(artkit_home):
    """The address of one running studio for all tests of its page."""
    from page_kit import studio

    with studio() as address:
        yield address


@pytest.fixture(scope="session")
def page_browser():
    """One Chromium for all tests of the studio's page."""
    from page_kit import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(page_browser, page_address):
    """Open the studio's page in a browser of its own, with what stands after the address."""
    from page_kit import Page

    contexts = []

    def open_one(query):
        context = page_browser.new_context(viewport={"width": 1000, "height": 700})
        contexts.append(context)
        return Page(context.new_page(), page_address).open(query)

    yield open_one
    for context in contexts:
        context.close()
