"""The method: Token Activation Maps as batched tensor operations.

This room knows tensors only, no model and no notebook.  Source: Li et al., "Token Activation Map to Visually Explain
Multimodal LLMs", ICCV 2025 (arXiv 2506.23270), in the order of the authors' released code.

Terms
-----
vision token
    A position of the sequence that stands for one cell of a picture's grid.
text token
    A token of the prompt or of the answer.  Its *class* is the vocabulary id whose activation explains it.  Its *read
    position* is its own (a prompt token) or the one that predicted it (an answer token).  Its *key* is the identity of
    its text.
context of a token
    The text tokens before it whose keys differ from its own.

Steps
-----
With the last hidden state h_p at position p and the output head's row w_c of class c:

1. Raw activation of text token i at vision token v: ``A_i[v] = ReLU(h_v · w_c(i))``
2. Relevance of text token k to i: ``r_i[k] = ReLU(h_pos(k) · w_c(i))``
3. Interference, over the context of i: ``E_i = Σ_k r_i[k] A_k / Σ_k r_i[k]``
4. Its scale: ``s_i = <A_i, E_i> / <E_i, E_i>``
5. Estimated causal inference: ``ReLU(A_i − s_i E_i)``
6. Joint scale: the minimum and maximum of that and of the relevances of all earlier text tokens become 0 and 1
7. Rank Gaussian filter, for each picture or frame on its own
"""

from tam_widget.maps.rank_filter import rank_gaussian_filter
from tam_widget.maps.tam import TextActivations, TokenMaps, activation_maps, token_activation_maps

__all__ = ["TextActivations", "TokenMaps", "activation_maps", "rank_gaussian_filter", "token_activation_maps"]
