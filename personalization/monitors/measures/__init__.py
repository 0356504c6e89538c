"""Mathematics of monitors: drift, concentration, bins. Knows no Django."""
