"""Exports of survey tools: bytes in, text frames out, and how their columns are understood. One module per dialect."""
