"""Clocks of people's rights: when a request must be answered, by law and by right. Django-free."""
