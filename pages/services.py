"""Services: how much each does, how well and how fast, and who depends on whom."""

from logstream.show.services.page import draw_services

draw_services()
