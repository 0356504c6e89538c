"""Lists of level ``none``: counted over many people, about no person, the same for everybody."""
