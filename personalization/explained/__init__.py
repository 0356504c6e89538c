"""What the recommender says of itself: in words, for people, creators and officers."""
