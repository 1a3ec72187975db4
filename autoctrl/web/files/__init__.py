"""Files that jobs wrote: how they are read, and as what they are shown."""
