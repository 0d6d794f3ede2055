"""The harness as an application with the dashboard's own routes; tests run it."""

import streamlit as st

from logstream.show.http_relay import relay_routes

app = st.App("feed_harness.py", routes=relay_routes())
