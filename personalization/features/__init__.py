"""Features of people: defined as data, computed as of a moment, read for the purpose that they stand under."""
