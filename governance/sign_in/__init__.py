"""Sign-in of officers: second factors, sessions, and the provider (docs/decisions/0033)."""
