"""Each metric once more: by its definition, in plain Python, on hundreds of small random histories.

Nothing here is shared with jobs/ or sql/ but the names of tables and columns: a definition walks
over all users and events and does literally what the contract says, however slow. `histories.py`
draws histories that are likely to hit corners, and runs a query on one; `definitions/` holds the
definitions; each `test_*.py` compares all rows and columns of a table.
"""
