"""What clients may send: input schemas with fields and limits, the routes that apply them, and reads of the result.

``classes`` and ``mappings`` read schemas, ``shapes`` what annotations and declarations admit, ``applied`` which routes
put which schema to what; ``reads`` knows what passed through one. The records are imported without what reads them.
"""
