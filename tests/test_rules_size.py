"""The size rules: no file past 400 lines, no function past 60."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = sorted(path for room in ("artkit", "plugins", "tests", "examples") for path in ROOT.glob(f"{room}/**/*.py"))
FILE_LINES = 400
FUNCTION_LINES = 60


def test_no_file_is_too_long():
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {path: length for path, length in lengths.items() if length > FILE_LINES}


def test_no_function_is_too_long():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert not long, "\n".join(long)
