"""The truth of the synthetic shop: what its rows must show on average, computed without drawing.

The latent traits are finite mixtures and the states a Markov chain, so every expectation is a
finite sum. `process` lays the world out as tables, `expectation` carries the share of users in
every cell forward day by day, `cohorts` follows those who signed up together, `outlook` looks
ahead from a known state, and `oracle` looks ahead from what a log shows.
"""
