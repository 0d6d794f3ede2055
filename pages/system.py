"""System: how LogStream itself is doing, from the service and from the database."""

from logstream.show.system_page import draw_system

draw_system()
