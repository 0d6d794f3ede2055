"""The whole result of a question as a stream of bytes: NDJSON, CSV or Parquet."""
