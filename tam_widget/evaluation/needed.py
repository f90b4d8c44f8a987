"""Packages that only a part of the evaluation needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tam_widget.errors import MissingDependencyError

__all__ = ["needed"]


def needed(module: str, what: str, extra: str) -> Any:
    """Import a package that may be missing.

    Parameters
    ----------
    module : str
        Its name to import.
    what : str
        What needs it, as the beginning of a sentence.
    extra : str
        The extra of this package that brings it.

    Raises
    ------
    MissingDependencyError
        It, or a part of it, is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(f"{what} needs {module} ({error}): pip install 'tam-widget[{extra}]'") from error
