"""Taking entries by index, putting others in their place."""
