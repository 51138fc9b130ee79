"""The contract kit: what a plugin's author calls in a test to learn whether the plugin keeps its promises.

Example:
    ```python
    from artkit.testing import check_spec
    from my_plugin import SPEC

    def test_contract():
        check_spec(SPEC)
    ```
"""

from __future__ import annotations

from artkit.testing.contract import check_spec, spec_faults

__all__ = ["check_spec", "spec_faults"]
