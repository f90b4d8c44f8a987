"""Does a map lie where its word is? Words matched with masks, and the measures of their overlap."""
