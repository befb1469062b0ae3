"""The project's own files, as the house tests look at them."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "streams", "agents")


def modules() -> Iterator[Path]:
    """Every Python file of the three rooms."""
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def syntax(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), filename=str(module))


def place(module: Path, line: int) -> str:
    """`agents/lanes.py:12`, as editors open it."""
    return f"{module.relative_to(ROOT)}:{line}"


def files() -> Iterator[Path]:
    """Every file that is or would be committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    yield from (ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file())
