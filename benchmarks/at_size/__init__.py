"""Models of real sizes with random weights, a processor for them, and how their time and memory are taken."""
