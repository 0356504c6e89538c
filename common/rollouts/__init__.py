"""Rollouts of anything, as mathematics: whom a candidate answers, and when its figures are too far apart."""
