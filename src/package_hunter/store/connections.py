"""How long PostgreSQL and we wait for an end of a connection that vanished without a word (a cable, a machine).

Without this we would wait for a quarter of an hour, and PostgreSQL would hold what a vanished worker had locked for
hours; with it both notice within about half a minute.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import URL

_CONNECT_SECONDS = 10
_SILENCE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_UNANSWERED_MS = 25_000  # data that is sent and not acknowledged
_OTHER_END = {f"tcp_{name}": value for name, value in (*_SILENCE.items(), ("user_timeout", _UNANSWERED_MS))}


def limits(url: URL) -> dict[str, Any]:
    """What libpq is told beside the URL, which may say otherwise (seconds; ``tcp_user_timeout`` in milliseconds; names:
    postgresql.org/docs/current/libpq-connect.html). Each connection to PostgreSQL is to be made with it."""
    found = {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": _UNANSWERED_MS, **_SILENCE}
    return {name: value for name, value in found.items() if name not in url.query}


def limit_other_end(connection: Any, _record: object = None) -> None:
    """Let PostgreSQL look after its end as we do after ours; called with each new connection. (They are no options of
    the connection itself: poolers refuse those.)"""
    with connection.cursor() as cursor:
        for name, value in _OTHER_END.items():
            cursor.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
    connection.commit()
