"""What can be wrong with a declaration in itself."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from artkit.errors import PluginError
from artkit.plugins.checks import check_method
from artkit.spec import Kind, MethodSpec, Options, describe_options


def declaration_faults(spec: MethodSpec) -> Iterator[str]:
    """Yield what is wrong with a method's declaration, one line each."""
    try:
        check_method(spec)
    except PluginError as error:
        yield str(error)
        return
    yield from _summary_faults("the method", spec.summary)
    for port in spec.inputs:
        yield from _summary_faults(f"port '{port.name}'", port.summary)
    yield from _options_faults("option", spec.options)
    yield from _options_faults("training option", spec.training_options)
    yield from _number_faults(spec)
    if spec.trainer is None and spec.training_options is not Options:
        yield "it has training options but no trainer"
    if spec.output is Kind.TEXT:
        yield "its output is text, which no step can make: return an image, labels or a mask"


def _summary_faults(owner: str, summary: str) -> Iterator[str]:
    if not summary.strip():
        yield f"{owner} has no summary"
    elif "\n" in summary:
        yield f"{owner}'s summary takes more than one line"


def _options_faults(word: str, options: type[Options]) -> Iterator[str]:
    """Check that every option has a description, and a default that its own limits allow."""
    for option in describe_options(options):
        if not option.summary:
            yield f"{word} '{option.name}' has no description: write Annotated[..., option(\"what it does\")]"
    required = [field.name for field in msgspec.structs.fields(options) if field.required]
    if required:
        yield from (f"{word} '{name}' has no default" for name in required)
        return
    try:
        msgspec.convert(msgspec.to_builtins(options()), options)
    except msgspec.ValidationError as error:
        yield f"a default of its {word}s is not allowed by its own limits: {error}"


def _number_faults(spec: MethodSpec) -> Iterator[str]:
    if spec.size.multiple < 1 or spec.size.minimum < 1:
        yield f"its size rule needs a multiple and a minimum of at least 1, not {spec.size}"
