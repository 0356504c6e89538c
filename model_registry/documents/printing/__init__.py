"""Documents for people to read and to hand on: HTML without scripts, and PDF."""
