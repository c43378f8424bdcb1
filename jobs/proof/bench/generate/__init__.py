"""How fast the synthetic shop is made."""
