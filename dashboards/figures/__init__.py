"""Pure functions from a frame of results to a Plotly figure (as a JSON-ready dict)."""
