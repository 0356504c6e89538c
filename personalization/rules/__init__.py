"""Rules before and after the model, as the proxy keeps them: what is hidden from a person, and what prices may be."""
