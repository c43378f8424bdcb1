"""What `monitor` checks on each scored date; all but `flow` is arithmetic on arrays and frames.

Data flow: arrivals_daily -> volume; snapshots of the date and of training -> drift; scores of the
date -> outcomes foretold; scores whose labels are known -> outcomes realised; all as findings ->
monitoring_daily. `selftest` puts the same functions to a process whose truth it knows.
"""
