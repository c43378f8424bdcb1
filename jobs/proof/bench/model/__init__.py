"""How good and how fast the models are: `bench model`."""
