"""The synthetic shop: rows as pure functions of seed, user, day and position."""
