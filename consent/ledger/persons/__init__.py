"""What is known of a person beside the choices: its erasure, and its correction."""
