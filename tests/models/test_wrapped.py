"""Adapted models: what is explained is the tuned model, or nothing."""

import peft
import pytest
import tiny_models
import torch

import tam_widget as tam

PROMPT = "Describe the image."
PROJECTIONS = ["q_proj", "v_proj"]
CAUSAL = {"task_type": "CAUSAL_LM"}

LAYERS = {
    "LoRA": peft.LoraConfig(target_modules=PROJECTIONS, **CAUSAL),
    "DoRA": peft.LoraConfig(target_modules=PROJECTIONS, use_dora=True),
    "LoRA of the head": peft.LoraConfig(target_modules=["q_proj", "lm_head"]),
    "LoRA with a new head": peft.LoraConfig(target_modules=PROJECTIONS, modules_to_save=["lm_head"]),
    "LoRA with a new norm": peft.LoraConfig(target_modules=PROJECTIONS, modules_to_save=["norm"]),
    "AdaLoRA": peft.AdaLoraConfig(target_modules=PROJECTIONS, total_step=10, **CAUSAL),
    "IA3": peft.IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "VeRA": peft.VeraConfig(target_modules=["q_proj"]),
    "OFT": peft.OFTConfig(target_modules=["q_proj"], oft_block_size=8),
    "LoHa": peft.LoHaConfig(target_modules=["q_proj"]),
    "tuned norms": peft.LNTuningConfig(target_modules=["norm", "input_layernorm"], **CAUSAL),
}
VIRTUAL = {"num_virtual_tokens": 4, **CAUSAL}
APART = {
    "PROMPT_TUNING": peft.PromptTuningConfig(**VIRTUAL),
    "P_TUNING": peft.PromptEncoderConfig(encoder_hidden_size=16, **VIRTUAL),
    "PREFIX_TUNING": peft.PrefixTuningConfig(**VIRTUAL),
    "MULTITASK_PROMPT_TUNING": peft.MultitaskPromptTuningConfig(num_tasks=2, **VIRTUAL),
    "CPT": peft.CPTConfig(cpt_token_ids=[1, 2], cpt_mask=[1, 1], cpt_tokens_type_mask=[1, 1], **CAUSAL),
    "POLY": peft.PolyConfig(target_modules=PROJECTIONS, n_tasks=2, n_skills=2, r=2, **CAUSAL),
    "activated LORA": peft.LoraConfig(target_modules=PROJECTIONS, alora_invocation_tokens=[5, 6], **CAUSAL),
}


def adapted(config, model=None, **options):
    """A tiny model with an adapter that changes what it says."""
    made = peft.get_peft_model(tiny_models.build() if model is None else model, config, **options).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return made


def answer_of(model, picture):
    """What the model's own generate says, as ids of the tokenizer."""
    processor = tiny_models.processor()
    inputs = tiny_models.prepared(processor, [picture], PROMPT).inputs
    said = model.generate(**inputs, max_new_tokens=4, do_sample=False)[0, inputs["input_ids"].shape[1] :].tolist()
    return [token for token in said if token < len(processor.tokenizer)]


def explained(model, picture):
    ex = tam.explain(model, tiny_models.processor(), picture, PROMPT, max_new_tokens=4)
    return [token.id for token in ex.tokens if token.role == "answer"]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", LAYERS)
def test_an_adapter_in_the_layers_is_explained(name, picture):
    model = adapted(LAYERS[name])
    own = answer_of(model, picture)
    assert explained(model, picture) == own
    assert own != answer_of(tiny_models.build(), picture)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", APART)
def test_an_adapter_beside_the_layers_is_refused_by_name(name, picture):
    model = adapted(APART[name])
    with pytest.raises(tam.UnsupportedModelError, match=rf"tuned by (an )?{name}, which"):
        explained(model, picture)
    with pytest.raises(tam.UnsupportedModelError, match=f"{name}, which"):
        explained(torch.compile(model), picture)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_mixture_of_adapters_is_refused_by_name(picture, tmp_path):
    adapted(LAYERS["LoRA"]).save_pretrained(tmp_path)
    model = tiny_models.build()
    model.config.hidden_size = model.config.text_config.hidden_size  # where peft looks for it
    mixture = peft.XLoraConfig(hidden_size=64, xlora_depth=1, adapters={"a": str(tmp_path)}, **CAUSAL)
    with pytest.raises(tam.UnsupportedModelError, match="tuned by XLORA, which has a forward pass of its own"):
        explained(peft.get_peft_model(model, mixture), picture)


def test_an_adapter_around_a_part_of_the_model_is_seen(picture):
    model = tiny_models.build()
    config = peft.PromptTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=4)
    model.model.language_model = peft.get_peft_model(model.model.language_model, config)
    with pytest.raises(tam.UnsupportedModelError, match="PROMPT_TUNING"):
        explained(model, picture)
    model = tiny_models.build()
    model.model.language_model = adapted(LAYERS["DoRA"], model.model.language_model)
    assert explained(model, picture) == answer_of(model, picture) != answer_of(tiny_models.build(), picture)


@pytest.mark.parametrize("name", ["PROMPT_TUNING", "LoRA"])
def test_without_its_adapter_the_base_is_explained(name, picture):
    model = adapted((LAYERS | APART)[name])
    with model.disable_adapter():
        assert explained(model, picture) == answer_of(tiny_models.build(), picture)


def test_merged_mixed_compiled_and_added_adapters_are_explained(picture):
    config = LAYERS["LoRA"]
    own = answer_of(adapted(config), picture)
    assert explained(torch.compile(adapted(config)), picture) == own
    assert explained(adapted(config).merge_and_unload(), picture) == own
    mixed = adapted(config, mixed=True)
    assert explained(mixed, picture) == answer_of(mixed, picture) == own
    added = tiny_models.build()
    added.add_adapter(peft.LoraConfig(target_modules=PROJECTIONS, init_lora_weights=False))
    assert explained(added, picture) == answer_of(added, picture) != answer_of(tiny_models.build(), picture)
