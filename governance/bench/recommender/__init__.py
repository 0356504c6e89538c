"""Quality of the bundled recommender on a data set of ratings, next to other methods in the same run."""
