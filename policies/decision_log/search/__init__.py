"""The decision log as officers search it: filters, pages, and files with proof."""
