"""What a personal list is made for besides relevance: variety, novelty, balance, small creators, trying things out."""
