"""The families of models that the training knows, each with its tokenizer, its weights and its forward pass."""
