"""What a campaign adds, whom to contact for it, and how near an estimate comes to the truth."""
