"""The dashboard application; `streamlit run app.py` or `uvicorn app:app`.

The main script lies in `logstream/show/` because a `pages/` folder beside it could be
opened around the navigation, and so around any check the main script makes.
"""

import streamlit as st

app = st.App("logstream/show/main.py")
