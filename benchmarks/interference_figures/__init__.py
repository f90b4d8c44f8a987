"""The figures of interference: short training runs, captions read along them, and what came before each word."""
