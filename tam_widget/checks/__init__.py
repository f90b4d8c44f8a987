"""Is a claim about the picture true? What a map says of a word, held against the model itself."""
