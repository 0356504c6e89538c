"""Groups of people by their own data, at least k in each."""
