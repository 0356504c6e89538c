"""SQL over tables that are too large for Python: written once, run by DuckDB or Apache Spark, with the same rows."""
