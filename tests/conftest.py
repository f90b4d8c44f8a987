"""What many tests share."""

import os
import sys
from functools import cache

import pytest
import torchvision_for_tests
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test may reach for the network
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

torchvision_for_tests.provide()

# Every run draws the same examples, however slow the machine is.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")


def pytest_addoption(parser):
    parser.addoption("--write-table", action="store_true", help="write the table of families into README and docs")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if item.get_closest_marker("shows"):
        import table_of_families

        table_of_families.remember(item.config, item, report)
    return report


@cache
def _tiny(family, tied):
    import tiny_models

    return tiny_models.build(family, tied=tied), tiny_models.processor(family)


@pytest.fixture(scope="session")
def tiny():
    """A function from a family to a tiny model and its processor, built once a session; leave them as they are."""

    def get(family="qwen2_vl", *, tied=False):
        return _tiny(family, tied)

    return get


# The families of tiny_models.FAMILIES, written out so that collecting tests imports no transformers.
@pytest.fixture(params=["qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5"])
def any_tiny(request, tiny):
    """A tiny model and processor of each family in turn."""
    return tiny(request.param)


@pytest.fixture(autouse=True)
def _forget_settings():
    """What one test sets in a page is not what the next test's widgets begin with."""
    yield
    if (module := sys.modules.get("tam_widget.widget.remembered")) is not None:
        module.settings.reset()
