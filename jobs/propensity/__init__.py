"""Who will buy, and who will stay away: snapshots, training, judgement, registry, scores.

Data flow: fact tables -> user_snapshots (SQL) -> labels and time split -> trees -> how many of them
-> calibration -> judgement beside peers -> gates -> model_metrics and model_registry; for a day:
user_snapshots -> serving model -> margins and reasons -> scores.
"""
