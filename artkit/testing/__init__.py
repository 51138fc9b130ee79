"""The contract kit: what a plugin's author calls in a test to learn whether the plugin keeps its promises.

Names load on first use, so that pytest, which knows `--artkit-contract`, starts without torch.

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

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
