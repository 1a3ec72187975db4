"""Raw runs: the containers, and the frames in them."""
