"""Evidence that the tables are right: reconciliations, quality rules and content hashes."""
