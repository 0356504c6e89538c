"""Where events lie: partitions by month, and the data set that retention deletes from."""
