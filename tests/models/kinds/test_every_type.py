"""Every type that AutoModelForImageTextToText knows is explained, refused with a reason, or said to be untried."""

import pytest
from table_of_families import NOT_TRIED, REFUSED
from tiny.cases import CASES
from tiny.not_tried import NEED_NEWER, WHY
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as TYPES

import tam_widget as tam
from tam_widget.models.families import family_of, supported_types
from tam_widget.models.families.refused import why_not

EXPLAINED = {case.family for case in CASES}
KNOWN = set(supported_types())


@pytest.mark.parametrize("model_type", [name for name in TYPES if name not in EXPLAINED | KNOWN and name not in WHY])
def test_what_is_not_explained_is_refused_with_a_reason(request, model_type):
    config = CONFIG_MAPPING[model_type]()
    why = why_not(config, model_type)
    assert why is not None, f"{model_type} has neither a case nor a reason: is it new?"
    with pytest.raises(tam.UnsupportedModelError) as error:
        family_of(config)
    assert why in str(error.value)
    assert model_type in str(error.value)
    request.config.stash.setdefault(REFUSED, {})[model_type] = why


@pytest.mark.parametrize("model_type", [name for name in TYPES if name in WHY])
def test_what_was_not_tried_is_not_known_either(request, model_type):
    assert model_type not in EXPLAINED
    assert why_not(CONFIG_MAPPING[model_type](), model_type) is None
    request.config.stash.setdefault(NOT_TRIED, {})[model_type] = WHY[model_type]


def test_a_family_without_a_case_needs_a_newer_transformers(request):
    without = {name for name in TYPES if name in KNOWN - EXPLAINED}
    assert without <= NEED_NEWER
    whys = dict.fromkeys(without, "its tests need a newer transformers")
    request.config.stash.setdefault(NOT_TRIED, {}).update(whys)
