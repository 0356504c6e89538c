"""What is known of a person apart from the choices: its erasure, and its correction."""
