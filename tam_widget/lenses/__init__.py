"""How maps are read from what a forward pass left: Token Activation Map, contributions, attention; one interface."""
