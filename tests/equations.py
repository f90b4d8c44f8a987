"""The equations of the method read plainly, on the model's own outputs: what explain() is held against."""

import torch


def reference(model, processor, ex, picture, system=None):
    """Maps before the filter and relevances by the equations, from the model's own outputs, one by one in float64."""
    content = [{"type": "image"}, {"type": "text", "text": ex.prompt}]
    messages = [{"role": "user", "content": content}]
    if system:
        messages.insert(0, {"role": "system", "content": system})
    rendered = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    inputs = processor(text=[rendered], images=[picture], return_tensors="pt")
    before = inputs["input_ids"].shape[1]
    answer = [token.id for token in ex.tokens if token.role == "answer"]
    ids = inputs["input_ids"][0].tolist() + answer
    inputs["input_ids"] = torch.tensor([ids])
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    inputs["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros(1, len(answer)).long()], dim=1)
    with torch.no_grad():
        hidden = model(**inputs, output_hidden_states=True).hidden_states[-1][0].double()
    weight = model.lm_head.weight.detach().double()
    cells = [p for p, token in enumerate(ids) if token == model.config.image_token_id]
    asked = [token.id for token in ex.tokens if token.role == "prompt"]
    (start,) = [
        p for p in range(before) if ids[p : p + len(asked)] == asked
    ]  # the template does not say the test's prompts
    read = [start + k for k in range(len(asked))] + [before - 1 + k for k in range(len(answer))]
    classes = asked + answer
    strings = processor.tokenizer.convert_ids_to_tokens(classes)
    raw = torch.stack([(hidden[cells] @ weight[c]).clamp(min=0) for c in classes])
    maps, relevances = [], []
    for i, c in enumerate(classes):
        relevance = (hidden[read[:i]] @ weight[c]).clamp(min=0)
        use = torch.tensor([strings[k] != strings[i] for k in range(i)], dtype=torch.bool)
        weights = torch.where(use, relevance, 0.0)
        estimate = (weights / (weights.sum() + 1e-8)) @ raw[:i] if i else torch.zeros_like(raw[i])
        scale = (raw[i] @ estimate) / (estimate @ estimate) if estimate.any() else 0.0
        left = (raw[i] - scale * estimate).clamp(min=0)
        joint = torch.cat([left, relevance])
        low, high = joint.min(), joint.max()
        joint = (joint - low) / (high - low) if high > low else torch.zeros_like(joint)
        maps.append(joint[: len(cells)].float())
        relevances.append(joint[len(cells) :].numpy())
    return torch.stack(maps), relevances
