"""Building silver and gold: what is new, which days it touches, and the record of what was done."""
