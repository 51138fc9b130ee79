"""What the studio answers and is asked, as JSON: these declarations are checked, sent, and described in OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from artkit.spec.calls import MAX_LENGTH

Text = Annotated[str, Meta(max_length=4_000)]
ChainText = Annotated[str, Meta(max_length=MAX_LENGTH)]
Seed = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
MAP_BYTES = 2**18
"""The largest label map that a picture carries along, so that the studio can open both again."""
Colour = Annotated[str, Meta(pattern="^#[0-9a-f]{6}$")]


class Failure(msgspec.Struct, frozen=True):
    """Why a request was refused, in one line."""

    error: str


class PortInfo(msgspec.Struct, frozen=True):
    """A named input of a method."""

    name: str
    kind: str
    summary: str
    required: bool


class OptionForm(msgspec.Struct, frozen=True):
    """An option as a form shows it; `words` says type and range in words, and null leaves a nullable one out.

    `condition` is the model's condition that it is a word of, where that has another name.
    """

    name: str
    type: Literal["integer", "number", "boolean", "choice", "text", "list"]
    default: Any
    minimum: float | None
    maximum: float | None
    choices: list[str | int] | None
    nullable: bool
    words: str
    summary: str
    condition: str | None = None


class MethodInfo(msgspec.Struct, frozen=True):
    """A method: what it takes, gives, and can be told; `source` when it can start a chain without a picture.

    `needs_model` when it does nothing without weights, be they `default_model` or others.
    """

    name: str
    group: str
    summary: str
    source: bool
    inputs: list[PortInfo]
    output: str
    options: list[OptionForm]
    needs_model: bool
    default_model: str | None
    models: list[str]


class ClassInfo(msgspec.Struct, frozen=True):
    """A class of a label map."""

    index: int
    name: str
    colour: Colour


class ModelInfo(msgspec.Struct, frozen=True):
    """A model on this machine, as its header describes it; `inputs` are kinds by port."""

    method: str
    name: str
    summary: str
    licence: str
    classes: list[ClassInfo] | None
    inputs: dict[str, str]
    output: str
    conditions: dict[str, list[str]]
    default: bool


class StepForm(msgspec.Struct, frozen=True):
    """A step: the options that are written, nested chains as `{"chain": TEXT}`; null for `model` is the default."""

    method: Text
    options: dict[str, Any] = {}
    model: Text | None = None


class ChainForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chain, as text or as steps: one of the two."""

    text: ChainText | None = None
    steps: Annotated[list[StepForm], Meta(max_length=64)] | None = None


class ChainInfo(msgspec.Struct, frozen=True):
    """A chain that is right: its text and steps, what its input is, and what else may be fed or added.

    `classes` and `conditions` are those of its models; `ports` may be fed with a picture each, and those in `wants`
    must; `fits` are methods that can follow. Words for ports that take words are options of their steps.
    """

    text: str
    steps: list[StepForm]
    input: str | None
    needs_input: bool
    output: str
    classes: list[ClassInfo] | None
    conditions: dict[str, list[str]]
    ports: list[str]
    wants: list[str]
    fits: list[str]


class Accepted(msgspec.Struct, frozen=True):
    """A job that was taken on: its id, and where it tells what happens."""

    job: str
    events: str


class RecipeInfo(msgspec.Struct, frozen=True):
    """How to make the picture again: by what it was made, and the same as a command to type and as a recipe's TOML."""

    chain: str
    seed: int
    size: str | None
    command: str
    toml: str


class JobInfo(msgspec.Struct, frozen=True):
    """How a job stands: the `share` of its work that is done, its `position` in the queue (0: its turn), what is where.

    A cancelled job has a picture where its step had something to show; then `share` says how far it came. `steps` has,
    of each step that is done, its `method` and what that reports of its picture.
    """

    state: Literal["queued", "running", "done", "failed", "cancelled"]
    share: float
    step: str | None
    position: int
    error: str | None
    picture: str | None
    sketch: str | None
    seconds: float | None
    steps: list[dict[str, Any]]
    recipe: RecipeInfo


class Record(msgspec.Struct, frozen=True):
    """What is read of a picture's record, which may be a stranger's; `ports` are files of the command line."""

    chain: ChainText
    seed: Seed = 0
    size: tuple[Annotated[int, Meta(ge=1)], Annotated[int, Meta(ge=1)]] | None = None
    version: str | None = None
    models: dict[str, str] = {}
    plugins: dict[str, str] = {}
    input: Text | None = None
    input_hash: Digest | None = None
    port_pictures: dict[str, Digest] = {}
    port_names: dict[str, Text] = {}
    ports: dict[str, Text] = {}
    map: Annotated[str, Meta(max_length=MAP_BYTES * 4 // 3 + 4)] | None = None
    stopped_at: float | None = None


class RestoredInput(msgspec.Struct, frozen=True):
    """An input of a picture: the SHA-256 of its bytes, its file's name, and its map, if the picture carries that."""

    sha256: str | None
    name: str | None = None
    map: str | None = None


class Restored(msgspec.Struct, frozen=True):
    """What a picture remembers of its making; `size` is `WxH`; `stopped_at` how far the step came that was ended."""

    chain: str
    seed: int
    size: str | None
    version: str | None
    models: dict[str, str]
    inputs: dict[str, RestoredInput]
    stopped_at: float | None
    recipe: RecipeInfo


class DreamForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """A label map that is wanted: of a `chain` that dreams one (semgan), or of a dataset or plugin that makes them."""

    chain: ChainText | None = None
    seed: Seed = 0
    size: Annotated[str, Meta(max_length=20)] | None = None
    source: Text | None = None
    client: Annotated[str, Meta(max_length=64)] | None = None


class ExampleInfo(msgspec.Struct, frozen=True):
    """A picture to begin with: its `kind`, the class set of a label map, and where it is."""

    name: str
    kind: Literal["image", "labels"]
    classes: str | None
    summary: str
    url: str
