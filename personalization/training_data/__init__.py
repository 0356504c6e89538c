"""What a training reads: whom it may learn from, their events, and tables made of these by one SQL for every engine."""
