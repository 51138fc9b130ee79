"""What installing artkit gives pytest: `--artkit-contract` runs the contract of the project's plugins as tests.

pytest imports this module whenever it starts: what computes is imported when a check runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from artkit.errors import ArtkitError

if TYPE_CHECKING:
    from artkit.testing.plugin import Check


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--artkit-contract`."""
    words = "also run the contract of the artkit plugins that this project's pyproject.toml names"
    parser.getgroup("artkit").addoption("--artkit-contract", action="store_true", help=words)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the checks behind the project's own tests."""
    if config.getoption("--artkit-contract"):
        try:
            items.extend(_contract(session, config))
        except ArtkitError as error:
            raise pytest.UsageError(f"--artkit-contract: {error}") from None


def _contract(session: pytest.Session, config: pytest.Config) -> Iterator[pytest.Item]:
    import tempfile
    from pathlib import Path

    from artkit.plugins import current_registry
    from artkit.plugins.project import load_project, read_project
    from artkit.testing.plugin import Given, plugin_checks

    project, registry = read_project(config.rootpath), current_registry()
    load_project(project, registry)
    folder = tempfile.TemporaryDirectory(prefix="artkit-contract-")
    config.add_cleanup(folder.cleanup)
    for plugin in project.plugins:
        for check in plugin_checks(plugin, registry, Given(Path(folder.name), docs=project.docs)):
            yield ContractItem.from_parent(session, name=f"{check.subject}: {check.name}", check=check)


class Broken(Exception):
    """The faults of one check."""


class ContractItem(pytest.Item):
    """One check of the contract, as a test."""

    def __init__(self, *, check: Check, **how: Any) -> None:
        super().__init__(**how)
        self.check = check

    def runtest(self) -> None:
        """Run the check; one that cannot be run is skipped."""
        from artkit.testing.plugin import NotChecked

        try:
            faults = self.check.run()
        except NotChecked as reason:
            pytest.skip(str(reason))
        if faults:
            raise Broken(*faults)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the faults and how to mend them; a traceback only for what went wrong with the check itself."""
        if not isinstance(excinfo.value, Broken):
            return super().repr_failure(excinfo, style)
        return "\n".join([*(f"- {fault}" for fault in excinfo.value.args), f"To mend: {self.check.page}"])

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Say where the test is: in the project's file that names the plugin."""
        return self.config.rootpath / "pyproject.toml", None, f"artkit contract, {self.name}"
