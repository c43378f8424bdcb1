"""Who will order in the next seven days: snapshots, training, evaluation, registry, scores.

Data flow: fact tables -> user_snapshots (SQL) -> labels and time split -> trees -> calibration ->
model_metrics and model_registry; for a day: user_snapshots -> serving model -> scores.
"""
