"""What each table is, word by word; no Spark, no SQL."""
