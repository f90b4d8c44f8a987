"""What makes the package's own models known to transformers, without loading it before somebody does."""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["make_known"]

_AUTO = "transformers.models.auto.modeling_auto"  # where AutoModel is
_OURS = "tam_widget.models.own.efficientnet_lite"  # registers itself when it is imported


def make_known() -> None:
    """Let ``AutoModelForImageTextToText.from_pretrained`` load what this package saved.

    transformers takes seconds to load, so that ``import tam_widget`` does not load it. Where it is not loaded yet, a
    finder waits for its ``AutoModel`` among those of :data:`sys.meta_path`, and leaves when it has come.
    """
    if _AUTO in sys.modules:
        import_module(_OURS)
    else:
        sys.meta_path.insert(0, _WhenLoaded())


class _WhenLoaded(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != _AUTO:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                import_module(_OURS)

            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec
