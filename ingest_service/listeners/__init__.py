"""Ports for senders that do not speak HTTP: syslog, GELF, and Fluentd's Forward protocol.

All are off until their port is set. What arrives lands through the same writer as HTTP.
"""
