"""Legal holds and restrictions of processing: whom they keep, and that both stand as the trail says."""
