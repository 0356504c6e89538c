"""Officers' pages of the decision log: its list, one decision with its facts and rules, and files with proof."""
