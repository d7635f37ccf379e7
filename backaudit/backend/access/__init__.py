"""What handlers do with stored data, and whether they tie it to the caller.

``tables``: the table behind a value, and which tables hold people. ``statements``: SQL in strings. ``changes`` and
``reads``: what a body writes and reads, itself or through the functions that it calls. ``owners``: the column that says
whose a row is. ``caller``: which values are the caller's identity, which the client chose. ``events``: look-ups by a
client's key and ties to the caller, in order.
"""
