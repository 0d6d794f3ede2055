"""What is kept and shared of a search: saved views, recent searches, exports, SQL."""
