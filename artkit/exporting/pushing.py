"""`artkit models push NAME hf:USER/REPO`: a model file, a card, and a sample picture, in one commit."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artkit.chain import Chain, Step
from artkit.errors import ModelError
from artkit.files import digest_of
from artkit.images import read_provenance
from artkit.models.file import model_hash
from artkit.models.header import read_header
from artkit.models.hub import CARD, FILE, SAMPLE, SCHEME, Place, hub_address
from artkit.reporting import clean
from artkit.spec import Kind, ModelHeader

NEED_HUB = "pushing needs a package that is not here: pip install -c constraints.txt '.[hub]'"
TASKS = {"text": "text-to-image", "image": "image-to-image", "": "unconditional-image-generation"}
LICENCES = {"CC0-1.0": "cc0-1.0", "MIT": "mit", "Apache-2.0": "apache-2.0", "BSD-2-Clause": "bsd-2-clause"}


@dataclass(frozen=True)
class Pushed:
    """What was pushed: where to, and the hash of the commit, by which it can be pulled."""

    place: str
    files: tuple[str, ...]


def push_model(model: Path, text: str, sample: Path) -> Pushed:
    """Put a model file on the hub, with a card and a picture that it made, as a commit of `hf:USER/REPO`.

    The repository is made where there is none. Raises UsageError for what is no place, ModelError where the picture is
    not the model's, where huggingface_hub is not installed, and for what the hub refuses.
    """
    there = Place.parse(text)
    header = read_header(model)
    record = _record_of(sample, model)
    with _plain_refusals(there):
        from huggingface_hub import CommitOperationAdd, HfApi

        hub = HfApi(endpoint=hub_address(), library_name="artkit")
        hub.create_repo(there.repo_id, exist_ok=True)
        card = make_card(header, there, model, record)
        contents: dict[str, Path | bytes] = {FILE: model, SAMPLE: sample, CARD: card.encode()}
        operations = [CommitOperationAdd(name, content) for name, content in contents.items()]
        commit = hub.create_commit(there.repo_id, operations, commit_message=f"{header.method} model, by artkit")
    return Pushed(there.at(commit.oid), tuple(contents))


def _record_of(sample: Path, model: Path) -> dict[str, Any]:
    """Return the record of the sample picture, which the model must have made. Raises ModelError."""
    record = read_provenance(sample) or {}
    made_by = record.get("models")
    if not isinstance(made_by, dict) or model_hash(model) not in made_by.values():
        raise ModelError(f"{sample} says nothing of this model: give a PNG that it made, by artkit run.")
    return record


@contextmanager
def _plain_refusals(there: Place) -> Iterator[None]:
    """Turn what the hub's library raises into one line."""
    try:
        yield
    except ImportError:
        raise ModelError(NEED_HUB) from None
    except ModelError:
        raise
    except Exception as error:  # the library's own, and those of what it speaks HTTP with
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"the hub did not take {SCHEME}{there.repo_id}: {reason}") from error


def make_card(header: ModelHeader, there: Place, model: Path, record: dict[str, Any]) -> str:
    """Return the model card: what the hub reads, then what people do."""
    licence = LICENCES.get(header.licence, "other")
    ports = "text" if Kind.TEXT in header.inputs.values() else "image" if header.inputs else ""
    lines = ["---", "library_name: artkit", f"pipeline_tag: {TASKS[ports]}", f"license: {licence}"]
    lines += ["tags:", "- artkit", f"- {_plain(header.method)}", "---", ""]
    lines += [f"# {_plain(there.repo)}", "", _plain(header.summary or f"A model of {header.method}."), ""]
    lines += [f"![A picture that the model made]({SAMPLE})", "", "```"]
    lines += [
        f"artkit models pull {SCHEME}{there.repo_id}",
        _command(record, header.method, there.model_name),
        "```",
        "",
    ]
    lines += ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in _facts(header, model))]
    return "\n".join(lines) + "\n"


def _command(record: dict[str, Any], method: str, name: str) -> str:
    """Return what makes the sample picture, where the model is called `name`, in one line of no more than that."""
    words = ["artkit", "run", *([str(record["input"])] if record.get("input") else [])]
    steps = [
        Step(step.method, {**step.options, "model": name}) if step.method == method else step
        for step in Chain(str(record.get("chain", "")))
    ]
    words += ["--chain", str(Chain(steps)), "--seed", str(record.get("seed", 0))]
    return clean(shlex.join(words)).replace("`", "'")


def _facts(header: ModelHeader, model: Path) -> Iterator[tuple[str, str]]:
    told: dict[str, Any] = {
        "method": header.method,
        "licence": header.licence or "not stated",
        "takes": ", ".join(f"{port} ({kind})" for port, kind in header.inputs.items()) or "nothing but a seed",
        "gives": header.output,
        "classes": ", ".join(header.classes.names) if header.classes else "",
        **{name: ", ".join(words) for name, words in header.conditions.items()},
        **header.training,
        "made by": f"artkit {header.artkit}" if header.artkit else "",
        "SHA-256": digest_of(model),
    }
    return ((_plain(key), _plain(value)) for key, value in told.items() if value not in ("", None, {}, []))


def _plain(value: Any) -> str:
    """Return a value as words in a line of a card, whatever a header holds: no markup, no table, no line break."""
    if isinstance(value, dict):
        value = ", ".join(f"{key} {item}" for key, item in value.items())
    text = clean(str(value))
    return "".join(f"\\{letter}" if letter in r"\`*_[]<>|#" else letter for letter in text)
