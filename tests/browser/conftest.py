"""One JupyterLab and one browser for all browser tests."""

import sys
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from lab import Lab, start_browser, start_server


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with sync_playwright() as playwright, start_server(home) as address:
        browser = start_browser(playwright)
        yield Lab(address, home / "notebooks", browser)
        browser.close()


@pytest.fixture(autouse=True)
def at_rest(request):
    """Each test leaves the pointer away from the widgets and the theme light."""
    yield
    if "notebook" in request.fixturenames:
        request.getfixturevalue("notebook").rest()


@pytest.fixture(params=["light", "dark"])
def theme(request, notebook):
    """Both of JupyterLab's themes in turn."""
    notebook.theme(request.param)
    return request.param
