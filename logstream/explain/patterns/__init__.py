"""Grouping the messages of a service into patterns: pure functions over a few examples each.

`words.py` cuts a message into words and places, `merging.py` finds which words vary,
`wording.py` writes the template of a group, `grouping.py` does it for one service and keeps
the groups' ids. The idea of looking for what frequent words have in common is Brain's (Yu et
al., IEEE Transactions on Services Computing 2023).
"""
