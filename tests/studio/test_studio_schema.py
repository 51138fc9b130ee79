"""Requests that schemathesis makes up from the OpenAPI document, right and wrong ones: every answer is described there.

Not checked is that what fits the schema is accepted: whether a text is a chain that this machine can run, no schema
says.
"""

from __future__ import annotations

import importlib

import pytest
from hypothesis import HealthCheck, Phase, settings

from artkit.studio.limits import Limits
from artkit.studio.routes import openapi
from studio_kit import open_studio

schemathesis = pytest.importorskip(
    "schemathesis", reason="THE STUDIO'S OPENAPI IS NOT TRIED BY SCHEMATHESIS: pip install -e '.[test]'"
)
described = importlib.import_module("schemathesis.specs.openapi.checks")
checks = importlib.import_module("schemathesis.checks")

DOCUMENT = schemathesis.openapi.from_dict(openapi())
CHECKS = [
    checks.not_a_server_error,
    described.status_code_conformance,
    described.content_type_conformance,
    described.response_schema_conformance,
    described.unsupported_method,
]


@pytest.fixture(scope="module")
def address():
    with open_studio(Limits(job_seconds=20)) as visitor:
        yield str(visitor.base_url)


@DOCUMENT.parametrize()
@settings(max_examples=12, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_every_answer_is_described(case, address):
    case.call_and_validate(base_url=address, checks=CHECKS)
