"""Data quality of the camera: plots, pictures, reports, trends."""
