"""What a training registers of itself: its figures, and the card of the model."""
