"""README and docs promise what the tests of the families ran, no more and no less."""

import pytest
import transformers
from table_of_families import found, is_complete, kept, pages, write


def test_the_tables_say_what_was_run(request):
    if not is_complete(request.session):
        pytest.skip("needs all of test_families.py and test_every_type.py in the same run")
    one = found(request.config)
    if request.config.getoption("--write-table"):
        write(one)
    assert kept().get(transformers.__version__) == one, "run `make families`"


def test_the_pages_are_written_from_what_was_kept():
    for page, text in pages().items():
        assert page.read_text(encoding="utf-8") == text, f"{page.name} is not what `make families` writes"
