"""What the tests of models share."""

import pytest
import tiny_models


@pytest.fixture(scope="session")
def picture():
    return tiny_models.picture(box=(8, 8, 24, 24))
