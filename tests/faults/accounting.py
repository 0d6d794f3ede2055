"""The claim of every test in this folder."""

from pathlib import Path

from scripts.soak.accounts import Account, settled


def assert_all_accounted_for(database_url: str, sent: Path) -> Account:
    """What the senders of this file were told is what is stored, each line once."""
    outcome = settled(database_url, sorted(sent.glob("*.jsonl")))
    assert not outcome.problems, "\n".join(outcome.problems)
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.acknowledged > 0
    print(outcome)
    return outcome
