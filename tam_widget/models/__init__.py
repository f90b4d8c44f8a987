"""The only room that knows transformers: from pictures and a prompt to hidden states and where they belong."""
