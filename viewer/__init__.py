"""Tiles for the browser, the web app (web/), and a viewer for notebooks."""
