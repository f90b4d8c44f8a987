"""A conversation on its way to the model: messages, chat template, processor."""
