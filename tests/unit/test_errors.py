"""Errors are a family, and also what a caller who does not know the family expects."""

import inspect

import pytest

import tam_widget as tam
from tam_widget import errors

FAMILY = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error", FAMILY)
def test_every_error_is_of_the_family_public_and_described(error):
    assert issubclass(error, tam.TAMError)
    assert getattr(tam, error.__name__) is error
    assert inspect.getdoc(error)


def test_none_is_left_out_of_the_public_names():
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert defined == set(errors.__all__)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (tam.PictureError, ValueError),
        (tam.PromptError, ValueError),
        (tam.GenerationError, ValueError),
        (tam.UnknownOptionError, TypeError),
        (tam.UnsupportedModelError, ValueError),
        (tam.LayoutError, ValueError),
        (tam.CaptureError, RuntimeError),
        (tam.MapMemoryError, MemoryError),
        (tam.MissingDependencyError, ImportError),
        (tam.TokenIndexError, IndexError),
        (tam.ExplanationGoneError, ReferenceError),
        (tam.ModelGoneError, ReferenceError),
        (tam.CheckError, ValueError),
    ],
)
def test_each_is_also_the_builtin_error_one_expects(error, builtin):
    with pytest.raises(builtin, match="why"):
        raise error("why")
