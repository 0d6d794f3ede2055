"""What the query box says of a search: examples for lines and for traces, and what each knows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """What is searched. `examples` are searches, each with what it asks for.

    `offered` are terms that only it knows, each with its meaning, `refused` keys that it does not.
    """

    placeholder: str
    intro: str
    examples: tuple[tuple[str, str], ...]
    offered: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = ()


_OF_LINES = (
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

_OF_TRACES = (
    ("duration>500ms", "what took longer, from first to last"),
    ("status:error", "with a span that failed"),
    ("errors>2", "with so many failed spans"),
    ("spans>100", "with many spans"),
    ('root:"GET /cart"', "that begin with this operation"),
    ('operation:"POST /pay"', "with a span of this name"),
    ("operation:GET*", "with a name that begins so"),
    ("latency>=1.5s", "with a single span that took so long"),
    ("kind:client http.status_code>=500", "one span that is all of it"),
    ("db.system:redis", "an attribute of a span"),
    ('"connection refused"', "in a name, a status or an attribute"),
    ("(status:error OR duration>2s) -root:GET*", "one or the other, and not so"),
)

LINES = Subject(
    'Search: timeout "order 17" -health status:503',
    "A line is found when all of it is true.",
    _OF_LINES,
)
TRACES = Subject(
    "Search traces: duration>500ms status:error operation:GET*",
    "A trace is found when all of it is true; what is about spans, of one span together.",
    _OF_TRACES,
    offered=(
        ("duration>", "how long all of it took: duration>1.5s"),
        ("status:error", "a span failed"),
        ("status:ok", "no span failed"),
        ("errors>", "how many spans failed"),
        ("spans>", "how many spans it has"),
        ("root:", "the operation it begins with"),
        ("operation:", "the name of one of its spans"),
        ("kind:", "server, client, producer, consumer or internal"),
    ),
    refused=("severity", "pattern"),
)
