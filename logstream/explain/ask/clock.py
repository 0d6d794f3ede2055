"""Wall-clock times of a zone as moments in UTC, across changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def moment_of(
    wall: datetime, zone: tzinfo, *, is_end: bool = False, notes: list[str] | None = None
) -> datetime:
    """The moment in UTC at which clocks in `zone` show `wall` (naive).

    An hour that the clocks skip is read as the one that comes instead. An hour that they show
    twice begins with the first and ends with the second, so that a range means both. Either is
    told to `notes`.
    """
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    moment = first.astimezone(UTC)
    is_skipped = moment.astimezone(zone).replace(tzinfo=None) != wall
    if notes is not None:
        shown = wall.strftime("%Y-%m-%d %H:%M")
        if is_skipped:
            instead = moment.astimezone(zone).strftime("%H:%M")
            notes.append(f"{shown} does not exist here: the clocks skip it; read as {instead}")
        else:
            notes.append(f"{shown} comes twice here, as the clocks go back; both are meant")
    if is_skipped:
        return moment
    return (second if is_end else first).astimezone(UTC)


def day_start(day: date, zone: tzinfo) -> datetime:
    """Midnight at which a day begins, in UTC; days of 23 and 25 hours included."""
    return moment_of(datetime.combine(day, time()), zone)


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def month_start(year: int, month: int) -> date:
    """The first of a month; months beyond 12 or before 1 belong to other years."""
    years, month0 = divmod(month - 1, 12)
    return date(year + years, month0 + 1, 1)
