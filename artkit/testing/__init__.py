"""The contract kit: what a plugin's author calls in a test to learn whether the plugin keeps its promises.

Example:
    ```python
    from artkit.plugins import current_registry
    from artkit.testing import check_method, check_spec
    from my_plugin import SPEC

    def test_contract():
        check_spec(SPEC)
        check_method(SPEC.name, current_registry())
    ```
"""

from __future__ import annotations

from artkit.testing.contract import check_method, check_spec, spec_faults

__all__ = ["check_method", "check_spec", "spec_faults"]
