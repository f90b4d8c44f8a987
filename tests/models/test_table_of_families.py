"""README and docs promise what the tests of the families ran, no more and no less."""

import pytest
import transformers
from table_of_families import explained, found, is_complete, kept, names, others, pages, write


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


def test_a_row_says_what_worked_with_which_transformers():
    pixtral = {"way": "tested", "shows": ["image", "images"]}
    versions = {
        "5.20.0": {
            "explained": {
                "gemma4": {"way": "tested", "shows": ["image"]},
                "llava pixtral": pixtral,
                "gemma3n": {"way": "tested", "shows": []},
            },
            "refused": {"aria": "its tokens are queries"},
            "not tried": {"newer_vl": "it is new", "other_vl": "it is other"},
        },
        "5.23.0": {
            "explained": {
                "gemma4": {"way": "tested", "shows": ["image", "video"]},
                "gemma3n": {"way": "tested", "shows": ["image"]},
                "newer_vl": {"way": "through its inputs", "shows": ["image"]},
            },
            "refused": {"aria": "its tokens are learned queries"},
            "not tried": {"other_vl": "it is other"},
        },
    }
    assert names(versions) == "Tested with transformers 5.20.0 and 5.23.0: Gemma 4, Pixtral and Gemma 3n."
    assert explained(versions).splitlines()[2:] == [
        "| Gemma 4 | `gemma4` | ✓ |  |  | ✓ |  | tested | 5.20.0 without video, 5.23.0 |",
        "| Pixtral | `llava`, tower `pixtral` | ✓ |  | ✓ |  |  | tested | 5.20.0 |",
        "| Gemma 3n | `gemma3n` | ✓ |  |  |  |  | tested | not 5.20.0, 5.23.0 |",
        "| newer_vl | `newer_vl` | ✓ |  |  |  |  | through its inputs, tried at run time | 5.23.0 |",
    ]
    assert others(versions).splitlines()[2:] == [
        "| `aria` | refused, because its tokens are learned queries |",
        "| `other_vl` | not tried: it is other |",
    ]
