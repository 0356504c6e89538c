"""Letters: what a person is written about a request, from templates in the person's language, and its sending."""
