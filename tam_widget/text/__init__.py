"""Text as tokens and words: which characters a token stands for, and which tokens make a word."""
