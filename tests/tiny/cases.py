"""All families that the conformance tests run, in the order of the table in the README."""

from tiny import cohere, glm4v, internvl, llama4, ovis2, qwen

CASES = (
    *qwen.CASES,
    *internvl.CASES,
    *cohere.CASES,
    *ovis2.CASES,
    *llama4.CASES,
    *glm4v.CASES,
)
