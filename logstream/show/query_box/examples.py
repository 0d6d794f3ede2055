"""The short help of the query box: searches of docs/search.md, each with what it asks for."""

EXAMPLES = (
    ("payment declined", "both words, anywhere in the message"),
    ('"card declined"', "exactly this phrase"),
    ("timeout -health", "without this word"),
    ("(timeout OR refused) -retry", "one or the other"),
    ("404", "the number, not 14041"),
    ("1404*", "what begins so"),
    ("http.status_code:503", "an attribute's value"),
    ("http.status_code>=500", "numbers compared"),
    ("host:web-*", "values that begin so"),
    ("user.id:*", "lines that have it"),
    ("service:cart,checkout", "a line's own fields"),
    ("severity>=warn", "this severity or graver"),
    ("latency>=1.5s", "what took long"),
    (r"/took \d{4,}ms/", "a regular expression"),
)
