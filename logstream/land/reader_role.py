"""The role that readers work as: it may read our tables, but no API key, and nothing else.

One role for all databases of a server. It cannot log in; who may set it is whoever migrated.
Where the connected user may not make roles, readers have only their read-only transactions.
"""

from typing import Any

import sqlalchemy as sa

# Two databases of one server may be migrated at once: the other's role is as good.
_MAKE = """
DO $$
DECLARE is_superuser boolean; may_make boolean;
BEGIN
    IF current_setting('transaction_read_only') = 'on' THEN
        RETURN;
    END IF;
    SELECT rolsuper, rolsuper OR rolcreaterole INTO is_superuser, may_make
    FROM pg_roles WHERE rolname = current_user;
    IF may_make AND to_regrole('logstream_reader') IS NULL THEN
        BEGIN
            CREATE ROLE logstream_reader NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
        IF NOT is_superuser THEN
            EXECUTE format('GRANT logstream_reader TO %I', current_user);
        END IF;
    END IF;
    IF to_regrole('logstream_reader') IS NOT NULL AND EXISTS (
        SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
            AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'api_keys'
            AND NOT has_table_privilege('logstream_reader', oid, 'SELECT')
    ) THEN
        GRANT USAGE ON SCHEMA public TO logstream_reader;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO logstream_reader;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO logstream_reader;
    END IF;
    -- Granted with the others, or by default when a later migration made it.
    IF to_regrole('logstream_reader') IS NOT NULL AND to_regclass('public.api_keys') IS NOT NULL
        AND has_table_privilege('logstream_reader', 'public.api_keys', 'SELECT')
    THEN
        REVOKE ALL ON api_keys FROM logstream_reader;
    END IF;
END
$$
"""
# The store has a reader role, and this user may become it and see our tables as it.
_MAY_BECOME = """
SELECT pg_has_role(current_user, oid, 'MEMBER')
   AND has_table_privilege(oid, to_regclass('logs'), 'SELECT')
FROM pg_roles WHERE rolname = 'logstream_reader'
"""


def make_reader_role(connection: sa.Connection) -> None:
    """Make the role where we may, and let it read every table there is and will be but api_keys.

    Writes nothing when that is done: a database that is read-only now may be migrated already.
    """
    connection.execute(sa.text(_MAKE))


def become_reader(connection: Any, _record: object) -> None:
    """Give up a new driver connection's right to write; an engine's `connect` event."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_BECOME)
        row = cursor.fetchone()
        if row and row[0]:
            cursor.execute("SET ROLE logstream_reader")
    # A setting made in a transaction would go with its rollback.
    connection.commit()
