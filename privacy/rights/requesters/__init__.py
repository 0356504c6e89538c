"""Requesters: who asks, for whom, and how that was proven. People without an account prove an e-mail address."""
