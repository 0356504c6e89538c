"""The audit trail as officers read it: searched, folded, compared and exported with proof."""
