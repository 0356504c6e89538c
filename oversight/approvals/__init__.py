"""What takes two officers, whatever it is: its steps, the verdict of the second one, and the work that waits for it."""
