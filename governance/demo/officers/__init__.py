"""Officers of the demonstration and what two of them do together."""
