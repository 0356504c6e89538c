"""What a schedule says of a data set, as the database reads it, and the actions that do more than delete by age."""
