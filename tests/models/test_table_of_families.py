"""The README promises what the tests of the families ran, no more and no less."""

import pytest
from table_of_families import PAGES, RESULTS, is_complete, page_with


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_table_says_what_was_run(request, page):
    if not is_complete(request.session):
        pytest.skip("needs all of test_families.py in the same run")
    results = request.config.stash[RESULTS]
    if request.config.getoption("--write-table"):
        page.write_text(page_with(page, results), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == page_with(page, results), "run `make families`"
