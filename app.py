"""The dashboard application; `streamlit run app.py` or `uvicorn app:app`.

The main script lies in `logstream/show/` because a `pages/` folder beside it could be
opened around the navigation, and so around any check the main script makes.
"""

import streamlit as st

from logstream.show.http_relay import relay_routes

app = st.App("logstream/show/main.py", routes=relay_routes())
