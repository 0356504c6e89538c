"""How well a model ranks what came later: the choice of a recipe, and the figures of the model card."""
