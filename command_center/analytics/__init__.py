"""For analysts: events and observations as Parquet, questions over them with DuckDB, and plots."""
