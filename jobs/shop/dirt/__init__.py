"""Dirt: what goes wrong between the shop and its log, laid over the clean rows and labelled.

A layer of its own, drawn from streams of its own: the clean twin of a dirty shop has the same
rows underneath, so what cleaning recovers can be compared with what truly happened.
"""
