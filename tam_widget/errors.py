"""What can go wrong, by name.

Every error this package raises on purpose is a :class:`TAMError`. Most are also the built-in error that a caller
would expect (a bad picture is a ``ValueError``, an index out of range an ``IndexError``), so code that knows
nothing of this package still catches them. A message says what was found and what would work.
"""

__all__ = [
    "CaptureError",
    "CheckError",
    "DatasetError",
    "EvaluationError",
    "ExplanationGoneError",
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
    "TokenIndexError",
    "UnknownDemoError",
    "UnknownOptionError",
    "UnsupportedModelError",
]


class TAMError(Exception):
    """Any error that this package raises on purpose."""


class UnsupportedModelError(TAMError, ValueError):
    """The model or its processor cannot be explained: no vision, an unknown family, a bare tokenizer."""


class UnknownDemoError(TAMError, ValueError):
    """No demo model of this name comes with the package."""


class LayoutError(TAMError, ValueError):
    """Which position shows which part of the picture or of the text cannot be told; a guess would mislead."""


class PictureError(TAMError, ValueError):
    """A picture is missing, cannot be read, or has a shape, type or size that the model refuses."""


class PromptError(TAMError, ValueError):
    """A prompt, system prompt or given answer is empty or holds the model's own control tokens."""


class GenerationError(TAMError, ValueError):
    """A way of generating that leaves no single sequence to explain, or an option that ``generate`` refuses."""


class UnknownOptionError(GenerationError, TypeError):
    """A keyword that neither this package nor the model's ``generate`` knows."""


class CaptureError(TAMError, RuntimeError):
    """The hidden states that were read are not the ones behind the model's words; maps would mean nothing."""


class LensError(TAMError, ValueError):
    """A lens that was not taken during the run, or that the model does not allow; the message says which and why."""


class MapMemoryError(TAMError, MemoryError):
    """The memory does not suffice for maps, not even in the smallest blocks; the message says what would help."""


class MissingDependencyError(TAMError, ImportError):
    """A package that the model needs is not installed; the message names the command that installs it."""


class TokenIndexError(TAMError, IndexError):
    """A token, candidate or picture index outside the explanation."""


class ExplanationGoneError(TAMError, ReferenceError):
    """A widget in the page asks for a map, and its explanation was deleted; the widget shows what it brought along."""


class CheckError(TAMError, ValueError):
    """A word of which cannot be checked whether it needs the picture: the model did not say it, or saw no picture."""


class ModelGoneError(TAMError, ReferenceError):
    """The model or processor behind an explanation was deleted, and something asks the model again."""


class DatasetError(TAMError, ValueError):
    """A data set or a sample of it is not what its kind needs: a file, column or mask is missing or does not fit."""


class EvaluationError(TAMError, ValueError):
    """A run whose settings cannot be used, or whose folder holds no run or another one."""


class MethodError(TAMError, ValueError):
    """A method of explanation that is unknown, does not apply to the model, or returned something that is no maps."""
