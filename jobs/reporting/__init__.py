"""Charts for people: stored tables -> pandas frames -> matplotlib figures -> PNG and CSV."""
