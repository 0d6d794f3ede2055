"""The dashboard application; `streamlit run app.py` or `uvicorn app:app`.

The main script lies in `logstream/show/` because a `pages/` folder beside it could be
opened around the navigation, and so around any check the main script makes.
"""

import logging

import streamlit as st
from streamlit.logger import get_logger

# Of a cache defined before the server runs, as the routes' are, it would say for each that it
# is kept in memory, where it belongs.
get_logger("streamlit.runtime.caching.cache_data_api").setLevel(logging.ERROR)

from logstream.show.http_relay import relay_routes  # noqa: E402

app = st.App("logstream/show/main.py", routes=relay_routes())
