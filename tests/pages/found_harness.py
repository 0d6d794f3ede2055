"""A page with nothing but the found lines; the URL is the filter.

FEED_SERVICE_PORT names the service's port.
"""

import os

import streamlit as st

from logstream.filter import LogFilter
from logstream.show.results import found_lines

st.set_page_config(layout="wide")
parameters = {name: st.query_params.get_all(name) for name in st.query_params}
log_filter, _ = LogFilter.read_url(parameters)
event = found_lines(
    log_filter,
    service_url="",
    service_port=int(os.environ["FEED_SERVICE_PORT"]),
    line=st.query_params.get("line", ""),
    timezone=st.query_params.get("tz", "UTC"),
)
if event is not None:
    st.query_params.from_dict(event.applied_to(log_filter).to_url())
    st.rerun()
