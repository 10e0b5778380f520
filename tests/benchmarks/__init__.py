"""Benchmarks: `make bench`, `make bench NAME=ifc`. Each prints one JSON line per figure (see figures.py)."""
