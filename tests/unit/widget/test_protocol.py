"""Both sides of the protocol are held to one file of requests and answers; the browser's side is in js/tests."""

import base64
import json
from pathlib import Path

import pytest
from test_widget_class import FakeExplanation

from tam_widget.widget import encode
from tam_widget.widget.requests import answer

FIXTURE = json.loads((Path(__file__).parents[2] / "data/protocol.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda case: case["what"])
def test_the_kernel_answers_as_the_browser_expects(case):
    reply, buffers = answer(FakeExplanation(), case["request"])
    assert reply == pytest.approx(case["reply"]) if "error" not in reply else reply == case["reply"]
    assert [base64.b64encode(buffer).decode() for buffer in buffers] == case["buffers"]


def test_the_embedded_maps_are_as_the_browser_expects():
    embedded = encode.embed_maps(FakeExplanation())
    for name, expected in FIXTURE["embedded"].items():
        found = embedded[name]
        if isinstance(found, bytes):
            assert base64.b64encode(found).decode() == expected
        else:
            assert found == pytest.approx(expected)
