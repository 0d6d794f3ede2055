"""An online shop that does not exist, writing the logs it would write.

`shop.py` makes the records from a seed and the times handed in; only `sender.py` and
`command.py` know the clock and the network.
"""
