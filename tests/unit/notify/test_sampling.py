"""Samples of windows that repeat themselves."""

from random import Random

from logstream.notify.sampling import Sample


def test_no_place_of_a_repeating_window_is_always_left_out_or_always_kept() -> None:
    salts = Random(7)
    # Two batches of 250 lines, each followed by a single one, in 400 windows.
    kept = [0, 0]
    for _ in range(400):
        sample: Sample[tuple[int, int]] = Sample(200, salts.getrandbits(32))
        for batch, count in enumerate((250, 1, 250, 1)):
            chosen = sample.chosen(count)
            sample.kept += [(batch, place) for place in chosen]
        assert 100 <= len(sample.kept) <= 200
        for batch, _ in sample.kept:
            if batch in (1, 3):
                kept[batch // 2] += 1
    # 126 of 502 lines are kept, so each single one in about 100 of 400 windows.
    assert all(60 < times < 180 for times in kept), kept
