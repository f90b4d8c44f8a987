"""Who imports whom: read from the sources, which are not run."""

from __future__ import annotations

import ast
import posixpath
import re
from importlib.util import resolve_name
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Import", "imports_of", "room_of", "rooms_of", "sources_of"]

_IN_TYPESCRIPT = re.compile(r'\b(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"')


class Import(NamedTuple):
    """One import.

    Attributes
    ----------
    source : str
        The importing file, as a path from the house's folder.
    target : str
        The imported file, likewise; or, where it is not of the house, the name of its package.
    line : int
        Where it stands in the source, from 1.
    late : bool
        Whether the module loads without it: it stands in a function, or is there for type checkers alone.
    """

    source: str
    target: str
    line: int
    late: bool


def sources_of(house: Path) -> list[str]:
    """Return the Python and TypeScript sources below a folder, as sorted paths from it."""
    paths = [path.relative_to(house).as_posix() for kind in ("*.py", "*.ts") for path in house.rglob(kind)]
    return sorted(path for path in paths if not path.endswith(".d.ts"))


def imports_of(house: Path) -> list[Import]:
    """Return every import of the sources below a folder, in order.

    Parameters
    ----------
    house : path
        A Python package, or a folder of TypeScript.

    Returns
    -------
    list of Import
        Types too; of TypeScript only what lies in the folder. A package counts as its ``__init__.py``. Names with two
        underscores at each end (``__version__``) are no import of the package that bears them: whoever stands in it
        has loaded it.

    Raises
    ------
    ValueError
        A module of the house is imported that is not there, or a folder of it has no ``__init__.py``.
    """
    files = sources_of(house)
    modules = {_module(house.name, path): path for path in files if path.endswith(".py")}
    found = []
    for path in files:
        text = (house / path).read_text(encoding="utf-8")
        found += _typescript(path, text, files) if path.endswith(".ts") else _python(house.name, path, text, modules)
    return found


def room_of(path: str, folder: str = "") -> str:
    """Return the room of a folder that a file lies in: ``maps/``, or the file itself where it stands alone."""
    first, slash, _ = path.removeprefix(folder).partition("/")
    return first + slash


def rooms_of(imports: Iterable[Import], folder: str = "") -> set[tuple[str, str]]:
    """Return which room of a folder imports which other one."""
    inside = [i for i in imports if i.source.startswith(folder) and i.target.startswith(folder) and "." in i.target]
    pairs = {(room_of(i.source, folder), room_of(i.target, folder)) for i in inside}
    return {(source, target) for source, target in pairs if source != target}


def _module(house: str, path: str) -> str:
    parts = [house, *path.removesuffix(".py").split("/")]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _typescript(path: str, text: str, files: list[str]) -> Iterator[Import]:
    for match in _IN_TYPESCRIPT.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        if target not in files:
            raise ValueError(f"{path}:{line} imports {target}, which is not there")
        yield Import(path, target, line, late=False)


def _python(house: str, path: str, text: str, modules: dict[str, str]) -> Iterator[Import]:
    package = _module(house, posixpath.join(posixpath.dirname(path), "__init__.py"))
    for node, late in _walk(ast.parse(text), late=False):
        for name in _named(node, package, modules):
            top = name.partition(".")[0]
            if top == house and name not in modules:
                raise ValueError(f"{path}:{node.lineno} imports {name}, which is not a module of {house}")
            yield Import(path, modules.get(name, top), node.lineno, late)


def _walk(node: ast.AST, *, late: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom | ast.Constant, bool]]:
    """Go through what may name a module, with whether it is needed to load the file."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.Constant):
            yield child, late
        else:
            guarded = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, late=late or guarded or function)


def _named(node: ast.Import | ast.ImportFrom | ast.Constant, package: str, modules: dict[str, str]) -> list[str]:
    """Return the full names of the modules that a line of a source names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.Constant):  # a name for import_module()
        return [node.value] if "." in str(node.value) and node.value in modules else []
    home = resolve_name("." * node.level + (node.module or ""), package)
    dunder = re.compile(r"__\w+__$")
    names = [f"{home}.{alias.name}" for alias in node.names if home not in modules or not dunder.match(alias.name)]
    return sorted({name if name in modules else home for name in names})
