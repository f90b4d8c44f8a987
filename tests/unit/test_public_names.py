"""The names a user types, and what importing them costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import tam_widget as tam

SOURCE = Path(tam.__file__)
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


def test_no_module_bears_the_name_of_a_public_function():
    modules = {path.stem for path in SOURCE.parent.iterdir()}
    functions = {name for name in tam._HOMES if name[0].islower()}
    assert functions.isdisjoint(modules)
    importlib.import_module("tam_widget.explainer")
    assert callable(tam.explain)
