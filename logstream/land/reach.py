"""Why a database cannot be used: an outage that passes, or an address that is wrong.

libpq gives no error code for a connection that failed, so its words decide. What we do not
recognise (a server that speaks another language, say) counts as an outage: the service then
starts, keeps lines in the spool and says the reason, so nothing is lost by guessing wrong.

A host name that does not resolve is an outage as well: in Compose and Kubernetes a name
exists only as long as its container, and a service that is restarted meanwhile must come up.
"""

import re

import sqlalchemy as sa
from psycopg import errors as pg_errors

from logstream.errors import LogStreamError, SettingsError, StoreUnavailable

_WRONG = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry"
    r"|(?:database|role|user) \S+ does not exist|permission denied for database"
    r"|is not permitted to log in|invalid (?:port|connection option|integer value)"
    r"|SSL was required|certificate verify failed|root certificate file",
    re.IGNORECASE,
)


def as_ours(error: sa.exc.DBAPIError) -> LogStreamError:
    """SettingsError when somebody must change something, StoreUnavailable when time helps.

    Raises the error itself when it says neither.
    """
    text = str(error.orig).strip()
    reason = next((line for line in text.splitlines() if line), type(error.orig).__name__)
    if isinstance(error.orig, pg_errors.ReadOnlySqlTransaction):
        return StoreUnavailable(
            "the database is read-only and has not this version's schema",
            "make it writable, or point DATABASE_URL at the primary",
        )
    if isinstance(error.orig, pg_errors.InsufficientPrivilege):
        return SettingsError(
            f"the user in DATABASE_URL may not make tables: {reason}",
            "let the user own the database, or GRANT CREATE ON SCHEMA public TO it",
        )
    if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        raise error
    if _WRONG.search(text):
        return SettingsError(
            f"DATABASE_URL cannot be used: {reason}",
            "check host, port, user, password and name of the database",
        )
    return StoreUnavailable(
        f"the database cannot be reached: {reason}", "check that PostgreSQL runs at DATABASE_URL"
    )
