"""Explanations drawn with matplotlib, without pyplot: one word, a row of pictures, the whole answer."""
