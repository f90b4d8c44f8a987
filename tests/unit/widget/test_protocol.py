"""Both sides of the protocol have the same names and numbers, and are held to one file of requests and answers.

The browser's side of that file is in js/tests.
"""

import base64
import json
import re
from pathlib import Path

import pytest
from hand_made_explanations import FakeExplanation

from tam_widget.widget import encode, protocol
from tam_widget.widget.colormaps import DIVERGING
from tam_widget.widget.requests import answer

ROOT = Path(__file__).parents[3]
FIXTURE = json.loads((ROOT / "tests/data/protocol.json").read_text(encoding="utf-8"))
TYPESCRIPT = (ROOT / "js/src/kernel/protocol.ts").read_text(encoding="utf-8")


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


def test_the_protocol_is_the_same_on_both_sides():
    assert f'export const DIVERGING = "{DIVERGING}";' in TYPESCRIPT
    for name in ("PEAK_LEVEL", "UNSEEN"):
        assert f"export const {name} = {getattr(protocol, name)};" in TYPESCRIPT
    for kind, interface in (
        (protocol.TokenState, "Token"),
        (protocol.CandidateState, "Candidate"),
        (protocol.PictureState, "Picture"),
        (protocol.EmbeddedMaps, "EmbeddedMaps"),
        (protocol.MethodState, "Method"),
        (protocol.MapRequest, "MapRequest"),
        (protocol.ScaleRequest, "ScaleRequest"),
        (protocol.CheckRequest, "CheckRequest"),
        (protocol.CheckReply, "CheckReply"),
        (protocol.CostState, "Cost"),
        (protocol.RegionReply, "RegionReply"),
        (protocol.ScaleReply, "ScaleReply"),
        (protocol.Ping, "Ping"),
        (protocol.MapReply, "MapReply"),
        (protocol.LaterReply, "LaterReply"),
        (protocol.ErrorReply, "ErrorReply"),
    ):
        body = re.search(rf"export interface {interface} \{{(.*?)\n\}}", TYPESCRIPT, re.DOTALL).group(1)
        assert set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) == set(kind.__annotations__), interface


def test_every_trait_is_known_to_both_sides(widget):
    own = {name for name in widget.keys if not name.startswith("_")} - {"layout", "tabbable", "tooltip"}
    body = re.search(r"export interface State \{(.*?)\n\}", TYPESCRIPT, re.DOTALL).group(1)
    assert own - {"_dom_classes"} == set(re.findall(r"^  (\w+):", body, re.MULTILINE))
