"""Parts of *Today*, the start page of officers: one file a subject, each part for who may see what it shows."""
