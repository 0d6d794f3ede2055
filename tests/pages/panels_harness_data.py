"""Names that a sender may choose, and the time of the panels' harness."""

FIRST = 1_795_425_000  # Monday 2026-11-23 09:10 UTC
MARKUP = "<img src=x onerror=\"globalThis.hacked = 'yes'\">"
RIGHT_TO_LEFT = "\u202egnp.\u202c خدمة الدفع"
LONG = "x" * 400
