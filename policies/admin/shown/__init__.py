"""Pages of rules about what people are shown: hidden items, masked fields, how often."""

from policies.admin.shown import caps, display, masking

__all__ = ["caps", "display", "masking"]
