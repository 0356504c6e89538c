"""Who each trained version learnt from, so that an erasure finds the models and has them trained anew."""
