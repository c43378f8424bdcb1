"""How fast silver and gold are built."""
