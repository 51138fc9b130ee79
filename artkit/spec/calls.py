"""Call syntax, the grammar of chain texts and dataset names: Python's own, parsed by `ast`, never evaluated."""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from dataclasses import dataclass, field
from typing import Any, NoReturn

from artkit.errors import ChainError, excerpt

WORDS = {"true": True, "false": False, "none": None}
"""Bare words that are not text."""

MAX_LENGTH = 20_000
"""Characters in a chain text; longer ones are refused unread."""

MAX_DEPTH = 16
"""Lists and chains inside one another."""

_PATHS = re.compile(
    r"""(?: '''.*?''' | \"\"\".*?\"\"\" | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" | \#[^\n]* )
      | (?<==) (?P<path> (?:[A-Za-z_]|~?/|\.\.?/) [A-Za-z0-9_./~+-]*+ ) (?=[\s,)\]\#]|$)""",
    re.VERBOSE | re.DOTALL,
)
"""Strings and remarks, which are left alone, and after `=` a word of letters, digits, `_`, `.`, `/`, `~`, `+`, `-`."""


@dataclass(frozen=True)
class Call:
    """One call as written: a name and its options. Lists of values are tuples; a list of calls is a list of Call."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


def parse_calls(text: str) -> list[Call]:
    """Parse `semgan,pix2pix(model=landscape),touchup(strength=0.8)`.

    Bare words are text, except `true`, `false` and `none`, and so are bare paths, `model=runs/best.safetensors`; other
    text is quoted. Numbers, and lists of values, are as in Python. A list of steps is a chain:
    `nst(style=[can(seed=3),superres])`. Raises ChainError, with the place.
    """
    if len(text) > MAX_LENGTH:
        raise ChainError(f"The chain text has {len(text)} characters; the limit is {MAX_LENGTH}.")
    if not text.strip():
        raise ChainError("The chain is empty. Name its steps, such as: semgan,pix2pix,touchup")
    return _Reader(text).read()


def is_word(text: object) -> bool:
    """Tell whether `text` is a bare word of chain text: an ASCII Python identifier that is no keyword."""
    return isinstance(text, str) and text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


class _Reader:
    """One reading of a chain text; keeps the text to point at mistakes."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")

    def read(self) -> list[Call]:
        root = self._tree()
        if not isinstance(root, ast.List):
            raise ChainError(f"The brackets of the chain do not match: {excerpt(self.text)}")
        return [self._call(node) for node in root.elts]

    def _tree(self) -> ast.expr:
        # The brackets stand on lines of their own, so that columns stay true and a comment cannot swallow the last.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return ast.parse(f"[\n{_hide_paths(self.text)}\n]", mode="eval").body
        except SyntaxError as error:
            raise self._error(_reason(error.msg), error.lineno or 1, (error.offset or 1) - 1) from None
        except (RecursionError, MemoryError):
            raise ChainError("The chain is nested too deeply.") from None
        except ValueError:
            raise ChainError(f"The chain holds characters that are not text: {self.text!a:.60}") from None

    # -- steps --------------------------------------------------------------------------------------------------

    def _call(self, node: ast.expr, depth: int = 0) -> Call:
        if isinstance(node, ast.Name):
            self._check_word(node, node.id)
            return Call(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            self._fail(
                node, f"{self._source(node)} is no step; a step is a method with options: touchup(strength=0.8)."
            )
        self._check_word(node.func, node.func.id)
        if node.args:
            written = self._source(node.args[0])
            self._fail(node.args[0], f"an option needs its name: {node.func.id}(NAME={written}).")
        return Call(node.func.id, self._options(node, depth))

    def _options(self, call: ast.Call, depth: int) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for given in call.keywords:
            if given.arg is None:
                self._fail(given.value, "'**' has no meaning here; write each option as name=value.")
            self._check_word(given, given.arg)
            if given.arg in options:
                self._fail(given, f"the option '{excerpt(given.arg)}' is given twice.")
            options[given.arg] = self._value(given.value, depth)
        return options

    def _check_word(self, node: ast.expr | ast.keyword, word: str) -> None:
        if not word.isascii():
            self._fail(node, f"the name '{excerpt(word)}' may hold only letters a to z, digits and '_'.")

    # -- values -------------------------------------------------------------------------------------------------

    def _value(self, node: ast.expr, depth: int) -> Any:
        if isinstance(node, ast.List) and _holds_calls(node):
            self._check_depth(node, depth + 1)
            return [self._call(item, depth + 1) for item in node.elts]
        return self._plain(node, depth)

    def _plain(self, node: ast.expr, depth: int) -> Any:
        if isinstance(node, ast.Name):
            written = self._segment(node) if set(node.id) == {"_"} else node.id
            return WORDS.get(written, written)
        if isinstance(node, ast.List | ast.Tuple):
            self._check_depth(node, depth + 1)
            return tuple(self._plain(item, depth + 1) for item in node.elts)
        if isinstance(node, ast.Call):
            self._fail(node, f"a chain inside a port stands in brackets: [{self._source(node)}].")
        return self._literal(node)

    def _literal(self, node: ast.expr) -> Any:
        sign = 1
        number = node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign, number = (-1 if isinstance(node.op, ast.USub) else 1), node.operand
        if isinstance(number, ast.Constant):
            value = number.value
            if isinstance(value, int | float) and not isinstance(value, bool):
                return sign * value
            if number is node and (value is None or isinstance(value, bool | str)):
                return value
        written = self._source(node)
        self._fail(node, f"put quotes around text that is not a plain word: {written!r}.")

    def _check_depth(self, node: ast.expr, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._fail(node, f"brackets are nested more than {MAX_DEPTH} deep.")

    # -- mistakes -----------------------------------------------------------------------------------------------

    def _segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(f"[\n{self.text}\n]", node) or "this"

    def _source(self, node: ast.AST) -> str:
        return excerpt(self._segment(node))

    def _fail(self, node: ast.expr | ast.keyword, message: str) -> NoReturn:
        line = f"\n{self.text}".split("\n")[node.lineno - 1]
        column = len(line.encode()[: node.col_offset].decode())
        raise self._error(message, node.lineno, column)

    def _error(self, message: str, line: int, column: int) -> ChainError:
        """Return the error that shows the line with a mark under `column` (from 0); `line` 2 is the text's first."""
        lines = self.text.split("\n")
        if line > len(lines) + 1:
            line, column = len(lines) + 1, len(lines[-1])
        shown = lines[max(line, 2) - 2]
        column = min(max(column, 0), len(shown)) if line >= 2 else 0
        start = max(0, column - 50)
        place = f"column {column + 1}" + (f" of line {line - 1}" if len(lines) > 1 else "")
        excerpt = shown[start : start + 78].replace("\t", " ")
        return ChainError(f"The chain cannot be read at {place}: {message}\n  {excerpt}\n  {' ' * (column - start)}^")


def _hide_paths(text: str) -> str:
    """Put as many `_` in the place of each bare path, which is no Python; `_plain` reads it where they stand."""
    return _PATHS.sub(
        lambda found: "_" * len(found[0]) if found["path"] and set(found[0]) & set("./") else found[0], text
    )


def _holds_calls(node: ast.List) -> bool:
    """Tell whether a list holds steps: at least one call, or nothing but bare words."""
    words = [isinstance(item, ast.Name) and item.id not in WORDS for item in node.elts]
    return any(isinstance(item, ast.Call) for item in node.elts) or (bool(words) and all(words))


def _reason(message: str) -> str:
    """Return Python's reason for not reading a text, in the words of chains."""
    if "forgot a comma" in message:
        return "is a comma missing here?"
    if any(hint in message for hint in ("never closed", "does not match", "unmatched")):
        return "the brackets do not match."
    if "Exceeds the limit" in message:
        return "a number is too large."
    if "escape sequence" in message:
        return f"{message}; write paths with / or with \\\\."
    if message.startswith("invalid syntax"):
        return "write steps like semgan,pix2pix(model=landscape)."
    return message.partition(" (detected")[0] + "."
