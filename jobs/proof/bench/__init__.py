"""Measurements beside others, each contestant a fresh process on two cores."""
