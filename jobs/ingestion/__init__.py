"""A team's own logs -> bronze.

request (mapping: whose column is whose; inputs and contract: files, hashes, columns)
-> readers (rows, each with its file and line) -> normalise (types, rules, keyed ids)
-> derive (what was not given) -> load (bronze, quarantine and the record of the batch)
"""
