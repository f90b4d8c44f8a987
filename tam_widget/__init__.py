"""See what a vision-language model looks at when it says a word: Token Activation Maps in a notebook.

>>> import tam_widget as tam
>>> model, processor = tam.load_demo()  # doctest: +SKIP
>>> tam.explain(model, processor, "photo.png", "Describe the image.")  # doctest: +SKIP

Importing this package is quick: torch, transformers and the notebook's parts load when something first needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tam_widget.errors import (
    CaptureError,
    CheckError,
    DatasetError,
    EvaluationError,
    ExplanationGoneError,
    GenerationError,
    LayoutError,
    LensError,
    MapMemoryError,
    MethodError,
    MissingDependencyError,
    ModelGoneError,
    PictureError,
    PromptError,
    TAMError,
    TokenIndexError,
    UnknownDemoError,
    UnknownOptionError,
    UnsupportedModelError,
)
from tam_widget.models.own.known import make_known

if TYPE_CHECKING:
    from tam_widget import demo
    from tam_widget.checks.answer import Verdicts
    from tam_widget.checks.cells import check_family
    from tam_widget.checks.family_check import CellCheck, FamilyCheck
    from tam_widget.checks.verdict import Verdict
    from tam_widget.explainer import explain
    from tam_widget.explanation import Explanation
    from tam_widget.media.videos import Video
    from tam_widget.models.families import register_family
    from tam_widget.models.load import load, load_demo
    from tam_widget.text.tokens import Candidate, Token, Word
    from tam_widget.widget import TAMWidget
    from tam_widget.widget.comparison import compare
    from tam_widget.widget.remembered import settings

__all__ = [
    "Candidate",
    "CaptureError",
    "CellCheck",
    "CheckError",
    "DatasetError",
    "EvaluationError",
    "Explanation",
    "ExplanationGoneError",
    "FamilyCheck",
    "GenerationError",
    "LayoutError",
    "LensError",
    "MapMemoryError",
    "MethodError",
    "MissingDependencyError",
    "ModelGoneError",
    "PictureError",
    "PromptError",
    "TAMError",
    "TAMWidget",
    "Token",
    "TokenIndexError",
    "UnknownDemoError",
    "UnknownOptionError",
    "UnsupportedModelError",
    "Verdict",
    "Verdicts",
    "Video",
    "Word",
    "__version__",
    "check_family",
    "compare",
    "demo",
    "explain",
    "load",
    "load_demo",
    "register_family",
    "settings",
]

__version__ = "0.1.0"

make_known()

# Must agree with the imports for type checkers above; tests/unit/test_public_names.py compares them.
_HOMES = {
    "Candidate": "tam_widget.text.tokens",
    "CellCheck": "tam_widget.checks.family_check",
    "Explanation": "tam_widget.explanation",
    "FamilyCheck": "tam_widget.checks.family_check",
    "TAMWidget": "tam_widget.widget",
    "Token": "tam_widget.text.tokens",
    "Verdict": "tam_widget.checks.verdict",
    "Verdicts": "tam_widget.checks.answer",
    "Video": "tam_widget.media.videos",
    "Word": "tam_widget.text.tokens",
    "check_family": "tam_widget.checks.cells",
    "compare": "tam_widget.widget.comparison",
    "explain": "tam_widget.explainer",
    "load": "tam_widget.models.load",
    "load_demo": "tam_widget.models.load",
    "register_family": "tam_widget.models.families",
    "settings": "tam_widget.widget.remembered",
}


def __getattr__(name: str) -> Any:
    if name == "demo":
        return import_module("tam_widget.demo")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
