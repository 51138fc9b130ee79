"""Whether a method's declaration and its code agree."""

from __future__ import annotations

from artkit.spec import MethodSpec
from artkit.testing.declarations import declaration_faults
from artkit.testing.implementation import implementation_faults


def check_spec(spec: MethodSpec) -> None:
    """Compare a method's declaration with its code, without running either.

    The declaration: plain names, one-line summaries, described options with valid defaults, a sensible size rule. The
    code: the root module imports nothing heavy, the translator's `translate` takes `context` and the declared ports,
    the trainer is one. Raises AssertionError listing everything to mend.
    """
    faults = spec_faults(spec)
    if faults:
        raise AssertionError("\n".join([f"The method '{spec.name}' breaks the contract:", *(f"- {x}" for x in faults)]))


def spec_faults(spec: MethodSpec) -> list[str]:
    """Return what `check_spec` would complain of, one line each."""
    return [*declaration_faults(spec), *implementation_faults(spec)]
