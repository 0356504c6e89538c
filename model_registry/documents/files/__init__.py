"""Files of others: JSON with its lines, and archives of documents."""
