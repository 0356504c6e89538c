"""Rules about what the demonstration's shop may show and ask, and the part of the story about them."""
