"""The names a user types, and what importing them costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tam_widget as tam

SOURCE = Path(tam.__file__)
PACKAGES = sorted(path.parent.relative_to(SOURCE.parent) for path in SOURCE.parent.rglob("__init__.py"))
LAZY = ("explain", "load", "load_demo", "Explanation", "Token", "Word", "Candidate")


def test_importing_the_package_loads_neither_torch_nor_transformers_nor_the_notebook_parts():
    code = (
        "import sys, tam_widget as tam; names = dir(tam); tam.TAMError; "
        "print([m for m in ('torch', 'transformers', 'matplotlib', 'anywidget', 'PIL', 'numpy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_contracts_names_are_there():
    for name in (*LAZY, "demo"):
        assert getattr(tam, name) is not None
    assert set(tam.__all__) <= set(dir(tam))
    assert callable(tam.explain)  # and not the module it comes from
    assert tam.demo.__name__ == "tam_widget.demo"


def test_dir_shows_no_machinery():
    assert [name for name in dir(tam) if not name.startswith("__") and name not in tam.__all__] == []


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'explian'"):
        _ = tam.explian


def test_type_checkers_are_told_the_same_homes():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (guarded,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {alias.name: node.module for node in guarded.body for alias in node.names}
    assert told.pop("demo") == "tam_widget"
    assert told == tam._HOMES


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_no_module_bears_the_name_of_something_public(package):
    """Importing such a module would put it in the place of what the package exports."""
    folder = SOURCE.parent / package
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules & set(_exported(folder / "__init__.py")) == ({"demo"} if package == Path() else set())


def _exported(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    lists = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"]
    return [name for found in lists for name in ast.literal_eval(found)]
