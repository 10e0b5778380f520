"""Telemetry: ingest (P6), live sockets (P7), charts (P9), and what history takes on disk."""
