"""What makes an installation: each part decides by a pure table, and its edge is small."""
