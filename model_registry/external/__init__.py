"""Models whose engine runs elsewhere: registered by a service or an operator, released as those trained here."""
