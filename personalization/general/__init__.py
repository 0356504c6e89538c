"""Lists of level ``none``: counted over many people, about nobody, the same for everybody."""
