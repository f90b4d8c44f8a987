"""Words of held-out scenes, their masks, their maps and how these fit: what both kinds of figures are made of."""
