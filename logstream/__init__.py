"""LogStream: real-time log analysis on your own PostgreSQL."""

__version__ = "0.1.0"
