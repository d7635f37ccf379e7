"""Words that a protocol or format fixes: no names of anybody's, and no library's."""

from __future__ import annotations

# Methods of HTTP, those that change something, those that carry a body to be checked, and those of links and forms.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SENDING = frozenset({"POST", "PUT", "PATCH"})
# How credentials are sent: by a form or JSON, and to a resolver of GraphQL.
TAKING = frozenset({"POST", "MUTATION", "QUERY"})
FORM_METHODS = SAFE | {"POST"}
# Those by which a schema is asked for, and the messages of a socket.
CHECKED = SENDING | {"WEBSOCKET"}
# Statuses that say that the client is wrong.
CLIENT_ERRORS = range(400, 500)

# Limits of JSON Schema, in the order in which they are told; those from above, and those of each kind of value.
LIMITS = (
    "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
    "minItems", "maxItems", "uniqueItems",
)  # fmt: skip
UPPER_LIMITS = frozenset({"maxLength", "equalLength", "maximum", "exclusiveMaximum", "pattern", "choices"})
_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
LIMITS_OF_KIND = {
    "string": frozenset({"minLength", "maxLength", "pattern"}),
    "integer": _BOUNDS,
    "number": _BOUNDS,
    "array": frozenset({"minItems", "maxItems", "uniqueItems"}),
    "object": frozenset(),
    "boolean": frozenset(),
    "file": frozenset(),
}
# What lengths are of arrays.
ITEM_LIMITS = {"minLength": "minItems", "maxLength": "maxItems"}
# Formats of a text that leave room for few others.
NARROW_FORMATS = frozenset({"uuid", "date", "date-time", "time", "duration", "ipv4", "ipv6", "email"})
# A text of each format, and one of which nobody has a row; comparisons, and what they say when they are false.
EXAMPLES = {
    "email": "someone@example.com", "uuid": "3f2b8a4e-5c1d-4e6f-9a7b-1c2d3e4f5a6b", "date": "2030-01-31",
    "date-time": "2030-01-31T10:00:00", "time": "10:00:00", "uri": "https://example.com/", "duration": "PT1H",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "password": "Long-enough-9", "slug": "a-slug", "decimal": "1.00",
}  # fmt: skip
NOBODYS = {"uuid": "00000000-0000-4000-8000-000000000000", "email": "nobody@example.com", "date": "1970-01-01"}
OPPOSITES = {
    "==": "!=", "!=": "==", "is": "is not", "is not": "is", "in": "not in", "not in": "in", "<": ">=", ">=": "<",
    ">": "<=", "<=": ">",
}  # fmt: skip
# By what a guard asks for: the status with which it turns away.
TURNED_AWAY = {"authenticates": 401, "role": 403, "ownership": 403, "rate-limit": 429}
