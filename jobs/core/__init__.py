"""Spark, Delta and the run itself; nothing here knows what a shop is."""
