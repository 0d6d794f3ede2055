"""What the System page draws: ingestion, landing, pushing, asking, storing, refusing."""

import httpx
import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import session, url_state
from logstream.show.cards import empty, failure, guarded
from logstream.show.explain_form import draw_explain_form
from logstream.show.refused_records import draw_refused_records
from logstream.show.system_protocols import draw_api_keys, draw_protocols
from logstream.show.system_service import draw_service
from logstream.show.system_store import draw_store
from logstream.show.system_tables import Facts

REFRESH_SECONDS = 2


def draw_system() -> None:
    """Draw the page: numbers that refresh themselves, and what people ask and send below."""
    draw_numbers()
    with st.container(key="rejects"):
        draw_refused_records()
    with st.container(key="explain-form"):
        draw_explain_form()


@st.fragment(run_every=REFRESH_SECONDS)
@guarded("The system page cannot be drawn.")
def draw_numbers() -> None:
    """Draw the numbers; they refresh in place every two seconds."""
    zone = url_state.shown().zone
    service, store = _facts()
    if service is not None:
        draw_service(service, zone)
        with st.container(key="protocols"):
            draw_protocols(service)
    if store is not None and "error" in store:
        empty(
            "The database cannot be asked for its own numbers now.",
            "They come back with it; this page keeps trying.",
        )
    elif store is not None:
        draw_store(store, zone, is_own=service is None)
    if service is not None and service.get("apiKeys"):
        with st.container(key="api-keys"):
            draw_api_keys(service["apiKeys"], zone)


def _facts() -> tuple[Facts | None, Facts | None]:
    """(the service's account, the store's); what is missing is said on screen."""
    try:
        facts = session.service_facts()
        return facts.get("service") or {}, facts.get("store") or {}
    except (httpx.HTTPError, ValueError):
        pass  # said on top of the page
    try:
        return None, session.store_facts()
    except LogStreamError as error:
        failure("The database cannot be asked either.", error)
        return None, None
