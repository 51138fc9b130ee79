"""The colouriser and its trainer keep the promises that artkit relies on."""

from artkit.plugins import current_registry
from artkit.testing import check_method, check_spec, check_trainer

from artkit_colouriser import SPEC


def test_contract(tmp_path):
    check_spec(SPEC)
    check_method(SPEC.name, current_registry())
    check_trainer(SPEC.name, current_registry(), tmp_path, values={"width": 8, "blocks": 1})
